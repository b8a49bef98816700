//! Plain programs of the world `wasi:cli/command`: standard input and output are the connection.

use super::instance::{Exports, Instance, Template};
use crate::guest::state::Guest;
use connection::handle::ConnectionHandle;
use connection::handler::{CallError, Program};
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
pub struct ProgramRun {
    template: Arc<Template<Run>>,
    handle: Arc<ConnectionHandle>,
}

impl ProgramRun {
    pub fn new(template: Arc<Template<Run>>, handle: Arc<ConnectionHandle>) -> Self {
        ProgramRun { template, handle }
    }
}

impl Program for ProgramRun {
    async fn run(self, stream: DuplexStream) -> Result<(), CallError> {
        let span = self.handle.span();
        let template = &self.template;
        let share = template.shares.of(self.handle.peer().transport);
        let mut instance = Instance::with_stdio(template, share, Some(stream), span).await?;
        instance.show_memory_of(&self.handle);
        let ran = instance.call_while_it_talks(async |Run(run), store| run.call_run(store).await);
        let ran = ran.await;
        let _entered = span.enter();
        match ran {
            Ok(Ok(())) | Err(CallError::Exit(0)) => tracing::debug!("the program exited"),
            // Which of the two depends on how the program was built, not on what it did.
            Ok(Err(())) | Err(CallError::Exit(1)) => {
                tracing::info!("the program exited with an error");
            }
            Err(CallError::Exit(code)) => tracing::info!("the program exited with code {code}"),
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
