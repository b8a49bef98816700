//! Compiles components.

use super::load::LoadFault;
use super::not_compiled::NotCompiled;
use super::recompiling::{CompiledFunctions, take};
use super::source::ComponentSource;
use crate::Engine;
use crate::EngineError;
use crate::kinds::fault::one_line;
use crate::scheduling::capacity::Capacity;
use screening::panics;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use system::limits::MAX_OUTCOME_BYTES;
use system::opening::{COMPILED, OVER_A_LIMIT, REFUSED};
use wasmtime::component::Component;

impl Engine {
    /// Compiles a component with this hash after it is proved to compile within the limits. Returns
    /// the time of one compilation: without a cache it is compiled twice.
    pub(crate) fn compile(
        &self,
        source: &ComponentSource,
        binary: &[u8],
        sha256: &str,
    ) -> Result<(Component, Duration), LoadFault> {
        let begun = Instant::now();
        if !self.prove(source, binary, sha256)? {
            let component = self.screen_and_compile(binary)?;
            return Ok((component, begun.elapsed()));
        }
        let proving = begun.elapsed();
        // Another process has screened and compiled it.
        let component = panics::catch(|| {
            Component::from_binary(&self.wasm, binary)
                .map_err(|error| NotCompiled::Invalid(one_line(&error)))
        })??;
        Ok((component, proving.max(begun.elapsed() - proving)))
    }

    /// Screens and compiles a component in this process.
    pub(crate) fn screen_and_compile(&self, binary: &[u8]) -> Result<Component, LoadFault> {
        screening::screen(binary)?;
        Ok(panics::catch(|| {
            Component::from_binary(&self.wasm, binary)
                .map_err(|error| NotCompiled::new(binary, &error))
        })??)
    }
}

/// In the compiling process: screens and compiles the component in this input, only for the cache.
/// Returns the outcome.
pub fn compile_for_cache(mut input: &[u8], cache: Option<&Path>) -> Result<String, EngineError> {
    let cut_short = || EngineError("the component is cut short".to_owned());
    let binary = take(&mut input).ok_or_else(cut_short)?;
    let known = CompiledFunctions::read(input).ok_or_else(cut_short)?;
    let known = (!known.is_empty()).then(|| Arc::new(known));
    let engine = Engine::build(Capacity::of(1), cache, known, false)?;
    Ok(match engine.screen_and_compile(binary) {
        Ok(_) => COMPILED.to_owned(),
        Err(fault) => {
            let outcome = match &fault {
                LoadFault::Unfit(unfit) if unfit.is_over_a_limit() => OVER_A_LIMIT,
                _ => REFUSED,
            };
            let mut outcome = format!("{outcome} {fault}");
            outcome.truncate(outcome.floor_char_boundary(MAX_OUTCOME_BYTES));
            outcome
        }
    })
}
