//! What is logged with the crate `log`: it goes to standard error, whose lines the host logs.

/// Makes `log` known to this module, once. Where nothing was said, what is below `Info` is not logged.
#[cfg(all(feature = "log", target_family = "wasm"))]
pub fn start() {
    if log::set_logger(&StandardError).is_ok() {
        log::set_max_level(log::LevelFilter::Info);
    }
}

/// Nothing is logged: without the feature nobody can, and in a unit test it is the test's to choose.
#[cfg(not(all(feature = "log", target_family = "wasm")))]
pub fn start() {}

#[cfg(all(feature = "log", target_family = "wasm"))]
struct StandardError;

#[cfg(all(feature = "log", target_family = "wasm"))]
impl log::Log for StandardError {
    fn enabled(&self, _: &log::Metadata) -> bool {
        true
    }

    fn log(&self, record: &log::Record) {
        use std::io::Write;
        // Written whole, so that it stays one line in the log. Where it can't be written nobody can be told.
        let line = format!("{}: {}\n", record.level(), record.args());
        let _ = std::io::stderr().write_all(line.as_bytes());
    }

    fn flush(&self) {}
}
