//! Rows of traffic, each in interleaved rounds.
//!
//! In each round every server is started anew, driven and stopped, one after the other, and every round begins
//! with another. So no server runs beside the one that is measured, what a server did under another load does
//! not show, chance in how a process is laid out is part of the spread, and what the machine is busy with
//! meanwhile meets all of a round alike.

use crate::load::{Load, Times};
use crate::place::Place;
use crate::sample::Samples;
use crate::servers::{Demand, Running, Server};
use anyhow::Result;

/// How often each row is measured.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    /// For the host and the native servers.
    pub ours: u32,
    /// For all others.
    pub peers: u32,
}

/// After so many failures a server is not tried again in that row.
const MAX_FAILURES: usize = 2;

/// Measures one row.
pub fn run(
    load: &Load,
    rounds: Rounds,
    times: &Times,
    servers: &[Server],
    place: &Place,
    samples: &mut Samples,
) {
    let row = load.name();
    let servers: Vec<_> = servers.iter().filter(|it| load.is_for(**it)).collect();
    let demand = Demand {
        connections: load.connections,
        message_bytes: load.message_bytes,
        cache: true,
    };
    for round in 0..rounds.ours.max(rounds.peers) {
        for place_in_round in 0..servers.len() {
            let server = *servers[(place_in_round + round as usize) % servers.len()];
            let limit = if server.is_peer() {
                rounds.peers
            } else {
                rounds.ours
            };
            let failures = samples.skipped.iter();
            let failures = failures
                .filter(|it| it.server == server.name() && it.row.as_deref() == Some(row.as_str()));
            if round >= limit || failures.count() >= MAX_FAILURES {
                continue;
            }
            let measure = || -> Result<_> {
                let running = Running::start(server, &demand, place)?;
                load.make(times, &running, place)
            };
            samples.add(&row, server.name(), round, measure());
        }
    }
}
