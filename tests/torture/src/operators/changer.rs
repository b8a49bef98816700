//! Operators who change what is served.

use super::orders::{self, Must, ORDERS, Order};
use crate::control::ask;
use crate::door;
use crate::files::STAGE;
use crate::handlers;
use crate::host::signal;
use crate::record::Record;
use crate::site::{Site, regular};
use anyhow::{Context, Result, bail, ensure};
use fastrand::Rng;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

/// The longest pause between two orders, and the pause before a retry, in milliseconds.
const PAUSE_MS: u64 = 600;
const AGAIN: Duration = Duration::from_millis(500);
/// The services whose good handler is swapped for another good one.
const SWAPPED: [&str; 4] = ["echo", "reverse", "upper", "counter"];
/// Number of versions that a host keeps: the current one, and one to go back to.
const KEPT: usize = 2;
/// Time limit for a service to answer correctly after it had a bad handler, and for an order to
/// succeed.
const DEADLINE: Duration = Duration::from_secs(10);

/// An operator who swaps and reloads.
pub struct Changer {
    site: Arc<Site>,
    record: Arc<Record>,
    rng: Rng,
    /// Counts versions.
    version: u64,
}

impl Changer {
    pub fn new(seed: u64, site: Arc<Site>, record: Arc<Record>) -> Self {
        Changer {
            site,
            record,
            rng: Rng::with_seed(seed),
            // Far from the numbers of others.
            version: seed % 100_000 * 100,
        }
    }

    /// Gives orders until the end of the phase or a finding.
    pub async fn live(&mut self, enough: &AtomicBool) -> Result<()> {
        while !enough.load(Ordering::Relaxed) {
            let order = orders::choose(&mut self.rng);
            self.give(order).await?;
            sleep(Duration::from_millis(self.rng.u64(..PAUSE_MS))).await;
        }
        Ok(())
    }

    /// Gives each order once.
    pub async fn rehearse(&mut self) -> Result<()> {
        for (order, _) in ORDERS {
            self.give(order).await?;
        }
        Ok(())
    }

    /// Makes every swapped service serve a good handler, and keep a good one to go back to.
    /// Resource usage depends on the handler, so only then are two samples comparable.
    pub async fn tidy(&mut self) -> Result<()> {
        self.tidy_up(Self::unchanged).await?;
        for service in SWAPPED.into_iter().chain([STAGE]) {
            for _ in 0..KEPT {
                self.tidy_up(async |it| it.swap_to_next(service).await)
                    .await?;
            }
        }
        Ok(())
    }

    async fn tidy_up(&mut self, order: impl AsyncFn(&Self) -> Result<Answer>) -> Result<()> {
        self.version += 1;
        let deadline = Instant::now() + DEADLINE;
        while let Answer::Refused(reason) = order(self).await? {
            ensure!(Instant::now() < deadline, "tidying up is refused: {reason}");
            sleep(AGAIN).await;
        }
        Ok(())
    }

    async fn unchanged(&self) -> Result<Answer> {
        self.reload(0).await
    }

    /// Repeats an order until it succeeds, if it must. It may be refused at first: reading,
    /// creating and binding need descriptors, which may be exhausted for a moment.
    async fn give(&mut self, order: Order) -> Result<()> {
        self.version += 1;
        let rng = self.rng.fork();
        let begun = Instant::now();
        loop {
            let answer = self.try_to(order, rng.clone()).await;
            let answer = answer.with_context(|| format!("who {}", order.name()))?;
            self.record.asked(order.name(), answer == Answer::Done);
            match (order.must(), answer) {
                (Some(Must::BeObeyed), Answer::Refused(reason)) => {
                    let is_early = begun.elapsed() < DEADLINE;
                    ensure!(is_early, "who {}, is refused: {reason}", order.name());
                    sleep(AGAIN).await;
                }
                (Some(Must::BeRefused), Answer::Done) => {
                    bail!("who {}, is obeyed", order.name())
                }
                _ => return Ok(()),
            }
        }
    }

    async fn try_to(&self, order: Order, mut rng: Rng) -> Result<Answer> {
        match order {
            Order::SwapToGood => self.swap_to_good(rng).await,
            Order::SwapToBad => self.swap_to_bad(rng).await,
            Order::SwapToHostile => self.swap_to_hostile(rng).await,
            Order::SwapToOther => {
                self.swap("reverse", &self.site.files.path("upper.wasm"))
                    .await
            }
            Order::RollBack => self.roll_back(rng).await,
            Order::Reload => self.reload(rng.u8(..4)).await,
            Order::ReloadBad => self.reload_bad(rng).await,
            Order::Hangup => signal(self.site.pid, Signal::HUP).map(|()| Answer::Done),
        }
    }

    async fn swap_to_good(&self, mut rng: Rng) -> Result<Answer> {
        self.swap_to_next(SWAPPED[rng.usize(..SWAPPED.len())]).await
    }

    /// Swaps to another version of a service's own handler.
    async fn swap_to_next(&self, service: &str) -> Result<Answer> {
        let handler = match service {
            STAGE => "reverse",
            service => service,
        };
        let good = self.site.files.read(&format!("{handler}.wasm"))?;
        let next = match handler {
            "counter" => handlers::counter(&good, self.version).context("no counter")?,
            _ => handlers::version(&good, self.version),
        };
        let path = self.site.files.put(&format!("next-{service}"), next)?;
        self.swap(service, &path).await
    }

    async fn swap_to_bad(&self, mut rng: Rng) -> Result<Answer> {
        let services = ["echo", "counter", "chat", STAGE];
        let service = services[rng.usize(..services.len())];
        let bad = handlers::bad(&self.site.files.read("reverse.wasm")?);
        let (name, content) = &bad[rng.usize(..bad.len())];
        let path = self.site.files.put(name, content)?;
        self.swap(service, &path).await
    }

    /// Serves a failing handler to some clients, then a good one, which must serve as if nothing
    /// had happened.
    async fn swap_to_hostile(&self, mut rng: Rng) -> Result<Answer> {
        let files = &self.site.files;
        let hostile = handlers::hostile();
        let path = match rng.u8(..6) {
            0 => files.path("saboteur.wasm"),
            1 => files.path("puppet.wasm"),
            2 => files.path("rogue.wasm"),
            _ => {
                let (name, content) = &hostile[rng.usize(..hostile.len())];
                files.put(name, content)?
            }
        };
        let swapped = self.swap(STAGE, &path).await?;
        for _ in 0..rng.usize(..8) {
            // The result does not matter.
            let _ = timeout(DEADLINE, self.visit(&mut rng, b"hello\n")).await;
        }
        if swapped != Answer::Done {
            return Ok(swapped);
        }
        let swapped = self.swap_to_next(STAGE).await?;
        if swapped == Answer::Done {
            let reply = timeout(DEADLINE, self.visit(&mut rng, b"hello\n")).await;
            let reply =
                reply.with_context(|| format!("no reply within {DEADLINE:?} after it"))??;
            ensure!(reply == b"olleh\n", "after it the reply is {reply:?}");
        }
        Ok(swapped)
    }

    /// A client that sends a message to the service, finishes, and reads everything.
    async fn visit(&self, rng: &mut Rng, said: &[u8]) -> Result<Vec<u8>> {
        let mut stream = door::tcp(self.site.tcp(STAGE), regular(rng)).await?;
        stream.write_all(said).await?;
        stream.shutdown().await?;
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).await?;
        Ok(heard)
    }

    async fn roll_back(&self, mut rng: Rng) -> Result<Answer> {
        let service = ["echo", "counter"][rng.usize(..2)];
        self.ask(json!({ "command": "roll-back", "service": service }))
            .await
    }

    async fn reload(&self, variant: u8) -> Result<Answer> {
        self.site.files.configure(variant)?;
        self.ask(json!({ "command": "reload" })).await
    }

    /// Breaks the configuration, and repairs it afterwards.
    async fn reload_bad(&self, mut rng: Rng) -> Result<Answer> {
        const BAD: [&str; 4] = [
            "max-connections = 'many'",
            "[service.echo]\nlisten = ['tcp://127.0.0.1:0']\nhandler = 'missing.wasm'",
            "[service.echo]\nlisten = ['tcp://192.0.2.1:1']",
            "[service.echo",
        ];
        let bad = BAD[rng.usize(..BAD.len())];
        self.site.files.put("echo-host.toml", bad)?;
        let answer = self.ask(json!({ "command": "reload" })).await;
        self.site.files.configure(0)?;
        answer
    }

    async fn swap(&self, service: &str, path: &Path) -> Result<Answer> {
        let handler = path.to_str().context("a path is text")?;
        self.ask(json!({ "command": "swap", "service": service, "handler": handler }))
            .await
    }

    async fn ask(&self, request: Value) -> Result<Answer> {
        let reply = ask(&self.site.control(), request).await?;
        Ok(match reply["refused"]["reason"].as_str() {
            Some(reason) => Answer::Refused(reason.to_owned()),
            None => Answer::Done,
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    Done,
    Refused(String),
}
