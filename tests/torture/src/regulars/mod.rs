//! Well-behaved clients, who check every byte that comes back, its order, and its time. Any error
//! is a finding.

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

/// Time limit for any request of a well-behaved client.
const DEADLINE: Duration = Duration::from_secs(10);
/// The longest pause between two sessions, in milliseconds.
const PAUSE_MS: u64 = 500;

/// The sessions of a kind of client, and the number of concurrent clients.
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
    /// Expects an echo, over TCP, TLS and a Unix socket.
    Echo,
    /// Expects reversed lines, from one of few shared instances.
    Reverse,
    /// Expects lines in upper case, each from an instance of its own.
    Upper,
    /// Expects counted lines, without a gap when the version changes.
    Counter,
    /// Two users who receive each other's lines in a room.
    Chat,
    /// Expects datagrams back.
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

/// A client that has one session after the other.
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

    /// Runs until the end of the phase or a finding.
    pub async fn live(mut self, enough: Arc<AtomicBool>, findings: Arc<Findings>) {
        for visit in 0.. {
            if enough.load(Ordering::Relaxed) {
                return;
            }
            // A generator of its own, so that the decisions of this session do not depend on
            // earlier ones.
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

/// Expects something to happen in time.
async fn in_time<T>(what: &str, happens: impl Future<Output = io::Result<T>>) -> Result<T> {
    timeout(DEADLINE, happens)
        .await
        .with_context(|| format!("{what}: not within {DEADLINE:?}"))?
        .with_context(|| what.to_owned())
}
