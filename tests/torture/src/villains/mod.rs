//! Clients that misbehave, or make guests misbehave. Their own outcome is only counted; other
//! clients check the effect on others. A finding is only what they must never get.

mod control;
mod crowds;
mod datagrams;
mod forgers;
mod garbage;
mod gluttons;
mod guests;
mod leavers;
mod log_readers;
mod readers;
mod websockets;
mod writers;

use crate::findings::Findings;
use crate::record::{Met, Record};
use crate::site::Site;
use fastrand::Rng;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// Number of concurrent villains.
const TASKS: u64 = 16;
/// Time limit of one misdeed.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest pause between two misdeeds, in milliseconds.
const PAUSE_MS: u64 = 300;

type Doing = Pin<Box<dyn Future<Output = io::Result<Met>> + Send>>;
type Deed = fn(Arc<Site>, Rng) -> Doing;

/// All misdeeds, by name, each with its relative frequency.
const DEEDS: [(&str, u32, Deed); 29] = [
    ("writes byte by byte", 6, |site, rng| {
        Box::pin(writers::slow(site, rng))
    }),
    ("sends endless lines", 4, |site, rng| {
        Box::pin(writers::endless_line(site, rng))
    }),
    ("says nothing", 2, |site, rng| {
        Box::pin(writers::silent(site, rng))
    }),
    ("reads slowly", 6, |site, rng| {
        Box::pin(readers::slow(site, rng))
    }),
    ("never reads", 6, |site, rng| {
        Box::pin(readers::never(site, rng))
    }),
    ("resets in the middle of a reply", 6, |site, rng| {
        Box::pin(leavers::mid_reply(site, rng))
    }),
    ("leaves in any state", 12, |site, rng| {
        Box::pin(leavers::any_state(site, rng))
    }),
    ("connects and vanishes", 4, |site, rng| {
        Box::pin(leavers::stampede(site, rng))
    }),
    ("takes all slots", 1, |site, rng| {
        Box::pin(crowds::all_slots(site, rng))
    }),
    ("connects too often from one address", 2, |site, rng| {
        Box::pin(crowds::one_address(site, rng))
    }),
    ("sends garbage", 12, |site, rng| {
        Box::pin(garbage::noise(site, rng))
    }),
    ("lies about lengths", 6, |site, rng| {
        Box::pin(garbage::lies(site, rng))
    }),
    ("hangs in a handshake", 2, |site, rng| {
        Box::pin(garbage::handshake(site, rng))
    }),
    ("has a responder go wrong", 16, |site, rng| {
        Box::pin(guests::responder(site, rng))
    }),
    ("has a conversation go wrong", 12, |site, rng| {
        Box::pin(guests::conversation(site, rng))
    }),
    ("has a session go wrong at some point", 16, |site, rng| {
        Box::pin(guests::session(site, rng))
    }),
    ("has a program go wrong", 12, |site, rng| {
        Box::pin(guests::program(site, rng))
    }),
    ("sends datagrams from many ports", 4, |site, rng| {
        Box::pin(datagrams::many_ports(site, rng))
    }),
    ("floods with datagrams", 2, |site, rng| {
        Box::pin(datagrams::flood(site, rng))
    }),
    ("forges senders of datagrams", 2, |site, rng| {
        Box::pin(datagrams::forged(site, rng))
    }),
    ("has a guest do too much in one call", 6, |site, rng| {
        Box::pin(gluttons::swallow(site, rng))
    }),
    ("has guests hoard handles and files", 6, |site, rng| {
        Box::pin(gluttons::hoard(site, rng))
    }),
    ("forges log lines", 6, |site, rng| {
        Box::pin(forgers::forge(site, rng))
    }),
    ("fills pipelines", 2, |site, rng| {
        Box::pin(crowds::pipelines(site, rng))
    }),
    ("stops reading the log", 2, |site, rng| {
        Box::pin(log_readers::stop(site, rng))
    }),
    ("abuses a WebSocket", 12, |site, rng| {
        Box::pin(websockets::abuse(site, rng))
    }),
    ("abuses the control socket", 6, |site, rng| {
        Box::pin(control::abuse(site, rng))
    }),
    ("hangs on the metrics", 2, |site, rng| {
        Box::pin(control::metrics(site, rng))
    }),
    ("sends SIGHUP again and again", 1, |site, rng| {
        Box::pin(control::hangups(site, rng))
    }),
];

/// A villain that commits one misdeed after the other.
pub struct Villain {
    site: Arc<Site>,
    record: Arc<Record>,
    findings: Arc<Findings>,
    rng: Rng,
}

impl Villain {
    /// All of them.
    pub fn all(
        seed: u64,
        site: &Arc<Site>,
        record: &Arc<Record>,
        findings: &Arc<Findings>,
    ) -> Vec<Self> {
        (0..TASKS)
            .map(|number| Villain::new(seed.wrapping_add(number), site, record, findings))
            .collect()
    }

    fn new(seed: u64, site: &Arc<Site>, record: &Arc<Record>, findings: &Arc<Findings>) -> Self {
        Villain {
            site: site.clone(),
            record: record.clone(),
            findings: findings.clone(),
            rng: Rng::with_seed(seed),
        }
    }

    /// Runs until the end of the phase.
    pub async fn live(mut self, enough: Arc<AtomicBool>) {
        while !enough.load(Ordering::Relaxed) {
            let (name, deed) = choose(&mut self.rng);
            self.act(name, deed).await;
            sleep(Duration::from_millis(self.rng.u64(..PAUSE_MS))).await;
        }
    }

    /// Commits each misdeed once, all at the same time.
    pub fn rehearsal(
        seed: u64,
        site: &Arc<Site>,
        record: &Arc<Record>,
        findings: &Arc<Findings>,
    ) -> JoinSet<()> {
        let mut deeds = JoinSet::new();
        for (number, (name, _, deed)) in (0..).zip(DEEDS) {
            let mut villain = Villain::new(seed.wrapping_add(number), site, record, findings);
            deeds.spawn(async move { villain.act(name, deed).await });
        }
        deeds
    }

    async fn act(&mut self, name: &'static str, deed: Deed) {
        // A generator of its own, so that the next choices do not depend on how far this misdeed
        // gets.
        let rng = self.rng.fork();
        let met = timeout(PATIENCE, deed(self.site.clone(), rng)).await;
        let met = met.map_or(Met::Silence, |met| met.unwrap_or_else(|error| how(&error)));
        if let Met::Harm(harm) = met {
            self.findings.add(&format!("one who {name}: {harm}"));
        }
        self.record.met(name, met);
    }
}

fn choose(rng: &mut Rng) -> (&'static str, Deed) {
    let all: u32 = DEEDS.iter().map(|(_, weight, _)| weight).sum();
    let mut point = rng.u32(..all);
    let chosen = DEEDS.iter().find(|(_, weight, _)| {
        let is_it = point < *weight;
        point = point.wrapping_sub(*weight);
        is_it
    });
    let (name, _, deed) = chosen.expect("the point is within the sum");
    (name, *deed)
}

/// The outcome for an error.
fn how(error: &io::Error) -> Met {
    match error.kind() {
        ErrorKind::ConnectionRefused | ErrorKind::AddrNotAvailable | ErrorKind::NotFound => {
            Met::Refused
        }
        ErrorKind::UnexpectedEof => Met::Closed,
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Met::Silence,
        _ => Met::Reset,
    }
}

/// Reads and discards data, until the end or for this time.
async fn read_rest(stream: &mut (impl AsyncRead + Unpin), limit: Duration) -> io::Result<Met> {
    let deadline = Instant::now() + limit;
    let mut met = Met::Silence;
    let mut bytes = vec![0; 64 << 10];
    while let Ok(read) = timeout_at(deadline, stream.read(&mut bytes)).await {
        match read? {
            0 if met == Met::Silence => return Ok(Met::Closed),
            0 => return Ok(met),
            _ => met = Met::Served,
        }
    }
    Ok(met)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_seed_repeats_what_is_chosen() {
        let chosen = |seed| {
            let mut rng = Rng::with_seed(seed);
            let names: Vec<_> = (0..100).map(|_| choose(&mut rng).0).collect();
            names
        };
        assert_eq!(chosen(7), chosen(7));
        assert_ne!(chosen(7), chosen(8));
    }

    #[test]
    fn every_deed_is_chosen_at_times() {
        let mut rng = Rng::with_seed(1);
        let chosen: BTreeSet<_> = (0..10_000).map(|_| choose(&mut rng).0).collect();
        assert_eq!(chosen.len(), DEEDS.len());
    }
}
