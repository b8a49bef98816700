//! The interface `wasi:logging`: what a guest logs at a level arrives in the host's log at that level.

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

/// Its package, with the version that is offered.
pub const PACKAGE: &str = "wasi:logging/";
pub const VERSION: &str = "@0.1.0-draft";

/// Offers it in a linker.
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
            // The host's log has none above it.
            Declared::Error | Declared::Critical => Level::ERROR,
        };
        self.log.log(level, &context, &message);
        Ok(())
    }
}
