//! Messages of the crate `log`.

/// Registers this module with `log`, once, unless there is a logger already. It forwards all
/// levels; the operator chooses which ones are shown.
#[cfg(feature = "log")]
pub fn start() {
    if log::set_logger(&Logger).is_ok() {
        log::set_max_level(log::LevelFilter::Trace);
    }
}

/// Without the feature nothing is logged.
#[cfg(not(feature = "log"))]
pub fn start() {}

#[cfg(feature = "log")]
struct Logger;

#[cfg(feature = "log")]
impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata) -> bool {
        true
    }

    fn log(&self, record: &log::Record) {
        say(record.level(), record.target(), &record.args().to_string());
    }

    fn flush(&self) {}
}

/// Writes to the host's log, with the module as the context.
#[cfg(all(feature = "log", target_family = "wasm"))]
fn say(level: log::Level, context: &str, message: &str) {
    use crate::bindings::logging::logging;
    let level = match level {
        log::Level::Trace => logging::Level::Trace,
        log::Level::Debug => logging::Level::Debug,
        log::Level::Info => logging::Level::Info,
        log::Level::Warn => logging::Level::Warn,
        log::Level::Error => logging::Level::Error,
    };
    logging::log(level, context, message);
}

/// Prints with the output of the unit test.
#[cfg(all(feature = "log", not(target_family = "wasm")))]
fn say(level: log::Level, context: &str, message: &str) {
    eprintln!("{level} {context}: {message}");
}
