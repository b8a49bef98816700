//! Well-behaved clients, who check every byte that comes back, its order, and when it comes. Whatever is wrong for
//! them is a finding.

mod chat;
mod datagrams;
mod lines;
mod talk;

use crate::findings::Findings;
use crate::record::Record;
use crate::site::Site;
use anyhow::{Context, Result};
use fastrand::Rng;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long anything a well-behaved client asks for may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// The longest pause between two sessions, in milliseconds.
const PAUSE_MS: u64 = 500;

/// What a kind of client asks for, and how many of them there are at once.
const KINDS: [(Kind, u64); 6] = [
    (Kind::Echo, 9),
    (Kind::Reverse, 4),
    (Kind::Upper, 4),
    (Kind::Counter, 6),
    (Kind::Chat, 3),
    (Kind::Datagrams, 3),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Gets back what it sends, by TCP, TLS and a Unix socket.
    Echo,
    /// Gets lines back reversed, from one of few shared instances.
    Reverse,
    /// Gets lines back in upper case, each from an instance of its own.
    Upper,
    /// Gets lines back counted, and counted on when the version changes.
    Counter,
    /// Two who hear each other in a room.
    Chat,
    /// Gets datagrams back.
    Datagrams,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Echo => "echo",
            Kind::Reverse => "reverse",
            Kind::Upper => "upper",
            Kind::Counter => "counter",
            Kind::Chat => "chat",
            Kind::Datagrams => "echo by UDP",
        }
    }
}

/// One who comes, asks and goes, again and again.
pub struct Regular {
    kind: Kind,
    number: u64,
    site: Arc<Site>,
    record: Arc<Record>,
    rng: Rng,
}

impl Regular {
    /// All of them.
    pub fn all(seed: u64, site: &Arc<Site>, record: &Arc<Record>) -> Vec<Self> {
        let kinds = KINDS
            .iter()
            .flat_map(|(kind, count)| (0..*count).map(|_| *kind));
        (0..)
            .zip(kinds)
            .map(|(number, kind)| Regular {
                kind,
                number,
                site: site.clone(),
                record: record.clone(),
                rng: Rng::with_seed(seed.wrapping_add(number)),
            })
            .collect()
    }

    /// Lives until it is enough, or something is wrong.
    pub async fn live(mut self, enough: Arc<AtomicBool>, findings: Arc<Findings>) {
        for visit in 0.. {
            if enough.load(Ordering::Relaxed) {
                return;
            }
            // Of its own, so that what this session decides does not depend on the ones before.
            let rng = self.rng.fork();
            if let Err(error) = self.visit(visit, rng).await {
                findings.add(&format!(
                    "{} (client {}): {error:#}",
                    self.kind.name(),
                    self.number
                ));
                return;
            }
            self.record.ended(self.kind.name());
            sleep(Duration::from_millis(self.rng.u64(..PAUSE_MS))).await;
        }
    }

    /// One session.
    async fn visit(&self, visit: u64, rng: Rng) -> Result<()> {
        match self.kind {
            Kind::Echo => lines::echo(self, rng).await,
            Kind::Reverse => lines::reverse(self, rng).await,
            Kind::Upper => lines::upper(self, rng).await,
            Kind::Counter => lines::counter(self, rng).await,
            Kind::Chat => chat::chat(self, visit, rng).await,
            Kind::Datagrams => datagrams::echo(self, rng).await,
        }
    }
}

/// What a well-behaved client may expect to happen in time.
async fn in_time<T>(what: &str, happens: impl Future<Output = io::Result<T>>) -> Result<T> {
    timeout(DEADLINE, happens)
        .await
        .with_context(|| format!("{what}: not within {DEADLINE:?}"))?
        .with_context(|| what.to_owned())
}
