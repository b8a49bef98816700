//! The interface `wasi:logging`: log lines of a guest keep their level in the host's log.

use super::state::Guest;
use bindings::wasi::logging::logging::{self, Host, Level as Declared};
use tracing::Level;
use wasmtime::Result;
use wasmtime::component::{HasSelf, Linker};

mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit/deps/logging.wit",
        world: "imports",
        imports: { default: trappable },
    });
}

/// The package name without the version.
pub const PACKAGE: &str = "wasi:logging/";
pub const VERSION: &str = "@0.1.0-draft";

/// Adds it to a linker.
pub fn offer(linker: &mut Linker<Guest>) -> Result<()> {
    logging::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)
}

impl Host for Guest {
    fn log(&mut self, level: Declared, context: String, message: String) -> Result<()> {
        let level = match level {
            Declared::Trace => Level::TRACE,
            Declared::Debug => Level::DEBUG,
            Declared::Info => Level::INFO,
            Declared::Warn => Level::WARN,
            // The host's log has no higher level.
            Declared::Error | Declared::Critical => Level::ERROR,
        };
        self.log.log(level, &context, &message);
        Ok(())
    }
}
