//! Prepares a version from a file: loads, checks and probes it.

use super::{Refusal, Setup};
use crate::exchange_file::{self, FileError};
use crate::logs::progress::Progress;
use config::ServeConfig;
use connection::generation::Candidate;
use connection::handler::Handler;
use connection::limits::PROBE_STEP_TIME;
use connection::task::ConnectionSettings;
use engine::{Engine, HandlerSource, LoadedHandler, Serving};
use exchange::{Exchanges, Plan, rehearse};
use keyvalue::Store;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

/// A file of exchanges that a version must pass.
#[derive(Debug)]
pub struct Probe {
    path: PathBuf,
    exchanges: Exchanges,
}

impl Probe {
    /// Reads a file. Blocks.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        Ok(Probe {
            path: path.to_owned(),
            exchanges: exchange_file::read(path)?,
        })
    }
}

/// A version did not reply as recorded.
#[derive(Debug, thiserror::Error)]
#[error("{handler} fails the probe {position}: {mismatch}")]
pub struct ProbeError {
    handler: String,
    /// The file, line and name of the exchange.
    position: String,
    mismatch: String,
    /// The expected and received lines.
    pub(super) diff: String,
}

/// Prepares a version, or returns why it is refused. Runs on its own thread: compiling a large
/// component takes seconds.
///
/// The thread ends afterwards and leaves its allocator memory to the next one. In the pool for
/// blocking work, each thread that ever compiled would keep its own.
pub async fn prepare(
    engine: &Arc<Engine>,
    setup: &Arc<Setup>,
    source: &HandlerSource,
) -> Result<Candidate<Serving>, Refusal> {
    let (engine, setup, source) = (engine.clone(), setup.clone(), source.clone());
    let here = Handle::current();
    let (ready, prepared) = oneshot::channel();
    let work = move || {
        let _progress = Progress::of(format!("compiling and checking {source}"));
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
        // The caller may be gone.
        let _ = ready.send(candidate);
    };
    let thread = thread::Builder::new().name("load".to_owned()).spawn(work);
    thread.map_err(|error| Refusal::Host(format!("cannot start a thread: {error}")))?;
    // The channel closes only after a panic, which is logged.
    let silent = |_| Err(Refusal::Host("an internal error: see the log".to_owned()));
    prepared.await.unwrap_or_else(silent)
}

/// Whether a source still has this SHA-256. False if it cannot be read: loading it reports why.
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
        settings: ConnectionSettings {
            framing,
            limits,
            converses: serving.converses(),
        },
        handler: serving,
        name: source.to_string(),
        tier: handler.tier().to_string(),
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
        // Cutting at every byte is for `echo-host test`, where time does not matter.
        cuts: false,
        step_limit: PROBE_STEP_TIME,
    };
    for exchange in &probe.exchanges.exchanges {
        let fresh = |clock: &_| handler.rehearsing(config.isolation, clock);
        let played = rehearse(fresh, exchange, plan, &candidate.settings).await;
        if let Err(mismatch) = played {
            return Err(Refusal::Probe(ProbeError {
                handler: candidate.name.clone(),
                position: format!(
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
