//! Plays the exchanges of a handler after each edit, for `echo-host dev`.

use super::script::{STEP_TIME, Script, report};
use crate::cli::printable::tell;
use crate::cli::serve::ServeArgs;
use anyhow::Context;
use bytesize::ByteSize;
use config::{OptionalPath, ServeConfig};
use daemon::control::{GenerationState, Reply, Request, default_path, request};
use daemon::exchange_file;
use engine::{Capacity, Engine, LoadedHandler, Purpose};
use exchange::rehearse;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::sleep;
use tools::project::Project;
use tools::stopwatch::{Measured, Stopwatch};
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;

/// How long the host may take to load a new version before it is played anyway, and how often it is
/// asked.
const LOADING_TIME: Duration = Duration::from_secs(60);
const ASKING_INTERVAL: Duration = Duration::from_millis(20);

/// Plays the exchanges on a thread of its own, which ends with the process: no build waits for it.
pub struct Trials {
    host: ThisHost,
    output: PathBuf,
    built: UnboundedSender<Before>,
}

/// What was before a build.
pub struct Before {
    host: Option<StateOfHost>,
    output: Option<Vec<u8>>,
}

/// What changes in the host when it has loaded a new version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct StateOfHost {
    generation: u64,
    refused_swaps: u64,
}

impl Trials {
    /// `None` if there is nothing to play, or if the host will say why it cannot serve.
    pub fn begin(project: &Project, serve: &ServeArgs) -> anyhow::Result<Option<Self>> {
        if project.exchanges.is_empty() {
            return Ok(None);
        }
        let Ok(host) = serve.sources().load() else {
            return Ok(None);
        };
        let Some(service) = host.services.into_iter().next() else {
            return Ok(None);
        };
        let host = ThisHost(match host.control {
            Some(OptionalPath::At(path)) => Some(path),
            Some(OptionalPath::Off) => None,
            None => default_path().ok(),
        });
        let purpose = Purpose {
            handlers_change: true,
            shows_lines: true,
        };
        let trial = Trial {
            engine: Engine::with_purpose(Capacity::of(1), None, purpose)?,
            config: ServeConfig {
                // The time limit of a step gives the better error.
                idle_timeout: None,
                ..service.serve
            },
            exchanges: project.exchanges.clone(),
            output: project.output.clone(),
            host: host.clone(),
        };
        let (built, builds) = unbounded_channel();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new()
            .name("trial".to_owned())
            .spawn(move || runtime.block_on(trial.follow(builds)))
            .context("cannot start the thread that plays exchanges")?;
        Ok(Some(Trials {
            host,
            output: project.output.clone(),
            built,
        }))
    }

    /// What is before a build.
    pub fn before(&self) -> Before {
        Before {
            host: self.host.state(),
            output: fs::read(&self.output).ok(),
        }
    }

    /// What is before the first version is served.
    pub fn before_all() -> Before {
        Before {
            host: None,
            output: None,
        }
    }

    /// A build has succeeded: plays its version, and no longer the one before.
    pub fn built(&self, before: Before) {
        // The thread ends only with the process.
        let _ = self.built.send(before);
    }
}

/// The host of this process, by its control socket.
#[derive(Clone)]
struct ThisHost(Option<PathBuf>);

impl ThisHost {
    /// `None` if it does not answer, or not yet.
    fn state(&self) -> Option<StateOfHost> {
        match request(self.0.as_ref()?, &Request::Status, &[]) {
            Ok(Reply::Status(status)) => {
                let mut generations = status.generations.iter();
                let current = generations.find(|it| it.state == GenerationState::Current)?;
                Some(StateOfHost {
                    generation: current.number,
                    refused_swaps: status.refused_swaps,
                })
            }
            _ => None,
        }
    }
}

/// The exchanges of a handler's directory, and how it is served.
struct Trial {
    engine: Engine,
    config: ServeConfig,
    exchanges: Vec<PathBuf>,
    output: PathBuf,
    host: ThisHost,
}

impl Trial {
    async fn follow(self, mut builds: UnboundedReceiver<Before>) {
        let mut next = builds.recv().await;
        while let Some(before) = next.take() {
            tokio::select! {
                () = self.play(before) => next = builds.recv().await,
                newer = builds.recv() => next = newer,
            }
        }
    }

    /// Plays the exchanges when the host has loaded the new version, and says what became of them.
    async fn play(&self, before: Before) {
        self.wait_for_host(&before).await;
        let loading = self.engine.load(
            &self.config.handler,
            &self.config.trust,
            &self.config.grants,
            self.config.guest_limits,
        );
        // The host loads and serves it too, and logs what is to be said.
        let Ok(handler) = loading.with_subscriber(NoSubscriber::new()).await else {
            return;
        };
        let played = self.play_with(&handler);
        if let Err(error) = played.with_subscriber(NoSubscriber::new()).await {
            tell("dev", &format!("cannot play exchanges: {error:#}"));
        }
    }

    /// Two compilations at the same moment would make the edit live later.
    async fn wait_for_host(&self, before: &Before) {
        if self.host.0.is_none() || fs::read(&self.output).ok() == before.output {
            return;
        }
        let begun = Instant::now();
        while self.host.state() == before.host && begun.elapsed() < LOADING_TIME {
            sleep(ASKING_INTERVAL).await;
        }
    }

    async fn play_with(&self, handler: &LoadedHandler) -> anyhow::Result<()> {
        let stopwatch = Arc::<Stopwatch>::default();
        let (mut played, mut failed) = (0, 0);
        for path in &self.exchanges {
            let file = exchange_file::read(path)?;
            let config = ServeConfig {
                framing: file.framing.clone().or(self.config.framing.clone()),
                ..self.config.clone()
            };
            let script = Script::new(path, &file, &config, handler, true, STEP_TIME)?;
            for exchange in script.exchanges {
                let serving = |clock: &_| {
                    let serving = handler.rehearsing(config.isolation, clock);
                    Measured::new(serving, &stopwatch)
                };
                let rehearsed = rehearse(serving, exchange, script.plan, &script.settings).await;
                played += 1;
                if rehearsed.is_err() {
                    failed += 1;
                    let text = report(path, exchange, script.plan, &rehearsed);
                    tell("dev", text.trim_end());
                }
            }
        }
        tell("dev", &outcome(played, failed, &cost(&stopwatch, handler)));
        Ok(())
    }
}

fn outcome(played: usize, failed: usize, cost: &str) -> String {
    match (played, failed) {
        (1, 0) => format!("1 exchange matched; {cost}"),
        (_, 0) => format!("{played} exchanges matched; {cost}"),
        _ => format!("{failed} of {played} exchanges did not match; {cost}"),
    }
}

/// What calls have taken, and an instance.
fn cost(stopwatch: &Stopwatch, handler: &LoadedHandler) -> String {
    let memory_bytes = match stopwatch.memory_bytes() {
        0 => handler.costs().memory_bytes,
        of_connection => of_connection,
    };
    let memory = format!("memory {}", ByteSize(memory_bytes as u64));
    match stopwatch.median() {
        Some(time) => format!("a call took {}, {memory}", words(time)),
        None => memory,
    }
}

fn words(time: Duration) -> String {
    match time.as_secs_f64() * 1e6 {
        micros @ ..10.0 => format!("{micros:.1} µs"),
        micros @ ..1000.0 => format!("{micros:.0} µs"),
        micros => format!("{:.1} ms", micros / 1000.0),
    }
}
