//! From a file to a version that may serve.

use super::{Refusal, Setup};
use crate::config::ServeConfig;
use crate::exchange_file::{self, FileError};
use connection::exchange::{Exchanges, Plan, rehearse};
use connection::generation::Candidate;
use connection::handler::Handler;
use connection::limits::PROBE_STEP_TIME;
use connection::task::Terms;
use engine::{Engine, HandlerSource, LoadedHandler, Serving};
use keyvalue::Store;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

/// A file of exchanges that a version must answer as recorded.
#[derive(Debug)]
pub struct Probe {
    path: PathBuf,
    exchanges: Exchanges,
}

impl Probe {
    /// Reads one. Blocks.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        Ok(Probe {
            path: path.to_owned(),
            exchanges: exchange_file::read(path)?,
        })
    }
}

/// A version answers otherwise than recorded.
#[derive(Debug, thiserror::Error)]
#[error("{handler} fails the probe {place}: {mismatch}")]
pub struct ProbeError {
    handler: String,
    /// File, line and name of the exchange.
    place: String,
    mismatch: String,
    /// What was expected and what came, line by line.
    pub(super) diff: String,
}

/// Makes a version ready to serve, or says why it is not to. All of it happens on a thread that serves
/// nobody: compiling takes seconds for a large component.
///
/// The thread ends with it, and leaves its part of the allocator's memory to the next one. On the runtime's threads
/// for blocking work, of which there may be many, each that has ever compiled would keep one of its own.
pub async fn prepare(
    engine: &Arc<Engine>,
    setup: &Arc<Setup>,
    source: &HandlerSource,
) -> Result<Candidate<Serving>, Refusal> {
    let (engine, setup, source) = (engine.clone(), setup.clone(), source.clone());
    let here = Handle::current();
    let (ready, prepared) = oneshot::channel();
    let work = move || {
        let candidate = here.block_on(async {
            let Setup {
                config,
                probes,
                store,
            } = &*setup;
            let loading = engine.load(&source, &config.trust, &config.grants, config.guest_limits);
            let handler = loading.await?;
            let candidate = candidate(&handler, config, &source, store)?;
            for probe in probes {
                answers(&handler, &candidate, config, probe).await?;
            }
            Ok(candidate)
        });
        // Whoever has asked may have gone.
        let _ = ready.send(candidate);
    };
    let thread = thread::Builder::new().name("load".to_owned()).spawn(work);
    thread.map_err(|error| Refusal::Host(format!("no thread can be started: {error}")))?;
    // It is silent only if it panicked, which is in the log.
    let silent = |_| Err(Refusal::Host("an internal error: see the log".to_owned()));
    prepared.await.unwrap_or_else(silent)
}

/// Whether a source still has the content with this SHA-256. What can't be read has not: loading it will say why.
pub async fn is_unchanged(source: &HandlerSource, sha256: &str) -> bool {
    let source = source.clone();
    let read = spawn_blocking(move || source.sha256());
    matches!(read.await, Ok(Ok(now)) if now == sha256)
}

fn candidate(
    handler: &LoadedHandler,
    config: &ServeConfig,
    source: &HandlerSource,
    store: &Store,
) -> Result<Candidate<Serving>, Refusal> {
    let (framing, limits) = config.connection(handler)?;
    let serving = handler.serving(config.isolation, store);
    Ok(Candidate {
        terms: Terms {
            framing,
            limits,
            converses: serving.converses(),
        },
        handler: serving,
        name: source.to_string(),
        tier: handler.tier().to_string(),
        files: source.files().to_vec(),
        hash: handler.sha256().to_owned(),
        imports: handler.wants(),
    })
}

async fn answers(
    handler: &LoadedHandler,
    candidate: &Candidate<Serving>,
    config: &ServeConfig,
    probe: &Probe,
) -> Result<(), Refusal> {
    let plan = Plan {
        // Cutting everywhere is for `echo-host test`, which nobody waits for.
        cuts: false,
        step_limit: PROBE_STEP_TIME,
    };
    for exchange in &probe.exchanges.exchanges {
        let fresh = || handler.serving(config.isolation, &Store::scratch());
        let played = rehearse(fresh, exchange, plan, &candidate.terms).await;
        if let Err(mismatch) = played {
            return Err(Refusal::Probe(ProbeError {
                handler: candidate.name.clone(),
                place: format!(
                    "{}:{} ({})",
                    probe.path.display(),
                    mismatch.line,
                    exchange.name
                ),
                mismatch: mismatch.to_string(),
                diff: mismatch.diff,
            }));
        }
    }
    Ok(())
}
