//! Plain programs, of the world `wasi:cli/command`: standard input and output are the connection.

use super::guest::Guest;
use super::instance::{Exports, Instance, Template};
use crate::handler::{CallError, Program};
use std::sync::Arc;
use tokio::io::DuplexStream;
use wasmtime::component::{Instance as WasmInstance, InstancePre};
use wasmtime::{Result, Store};
use wasmtime_wasi::p2::bindings::exports::wasi::cli::run;

/// The export `run`.
pub struct Run(run::Guest);

impl Exports for Run {
    type Indices = run::GuestIndices;

    fn indices(pre: &InstancePre<Guest>) -> Result<run::GuestIndices> {
        run::GuestIndices::new(pre)
    }

    fn load(
        indices: &run::GuestIndices,
        store: &mut Store<Guest>,
        wasm: &WasmInstance,
    ) -> Result<Self> {
        indices.load(store, wasm).map(Run)
    }
}

/// A program for one connection.
pub struct ProgramRun(pub Arc<Template<Run>>);

impl Program for ProgramRun {
    async fn run(self, stream: DuplexStream) -> Result<(), CallError> {
        let mut instance = Instance::with_stdio(&self.0, Some(stream)).await?;
        let ran = instance.call_while_it_talks(async |Run(run), store| run.call_run(store).await);
        match ran.await {
            Ok(Ok(())) | Err(CallError::Exit(0)) => tracing::debug!("the program exited"),
            Ok(Err(())) => tracing::info!("the program exited with an error"),
            Err(CallError::Exit(code)) => tracing::info!("the program exited with code {code}"),
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
