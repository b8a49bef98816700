//! From the bytes of a component to its code.

use super::features::NotCompiled;
use super::load::LoadFault;
use super::source::HandlerSource;
use super::{Engine, panics, screening};
use std::time::{Duration, Instant};
use wasmtime::component::Component;

impl Engine {
    /// Compiles a component with this hash, once it is known that it may be compiled. Also tells how long that took,
    /// once: without a cache it is compiled twice.
    pub(super) fn compile(
        &self,
        handler: &HandlerSource,
        binary: &[u8],
        sha256: &str,
    ) -> Result<(Component, Duration), LoadFault> {
        screening::screen(binary)?;
        let begun = Instant::now();
        self.prove(handler, binary, sha256)?;
        let proving = begun.elapsed();
        let component = panics::catch(|| {
            Component::from_binary(&self.wasm, binary)
                .map_err(|error| NotCompiled::new(binary, &error))
        })??;
        Ok((component, proving.max(begun.elapsed() - proving)))
    }
}
