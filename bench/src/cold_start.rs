//! How long it takes from starting a server to its first reply.

use crate::holder::Held;
use crate::place::Place;
use crate::sample::{FIRST_REPLY, Figures, Samples};
use crate::servers::{Demand, Running, Server};
use anyhow::Result;
use std::time::Instant;

pub const ROW: &str = "from start to first reply";

const RUST_COLD: &str = "host-rust without cache";
const RUST_WARM: &str = "host-rust with cache";
const JAVASCRIPT: &str = "host-javascript with cache";

/// Servers, and how many milliseconds each may take.
pub const TARGETS_MS: [(&str, f64); 3] =
    [(RUST_COLD, 50.0), (RUST_WARM, 20.0), (JAVASCRIPT, 100.0)];

const STARTS: [(&str, Server, bool); 6] = [
    ("native-plain", Server::NativePlain, true),
    ("host-built-in without cache", Server::HostBuiltIn, false),
    ("host-built-in with cache", Server::HostBuiltIn, true),
    (RUST_COLD, Server::HostRust, false),
    (RUST_WARM, Server::HostRust, true),
    (JAVASCRIPT, Server::HostJavaScript, true),
];

pub fn run(rounds: u32, wanted: &dyn Fn(Server) -> bool, place: &Place, samples: &mut Samples) {
    let starts = STARTS.iter().filter(|(_, server, _)| wanted(*server));
    let starts: Vec<_> = starts.collect();
    for (_, server, cache) in starts.iter().filter(|(_, _, cache)| *cache) {
        // Fills the cache. If it fails the rounds will tell.
        let _ = first_reply(*server, *cache, place);
    }
    for round in 0..rounds {
        for (name, server, cache) in &starts {
            samples.add(ROW, name, round, first_reply(*server, *cache, place));
        }
    }
}

fn first_reply(server: Server, cache: bool, place: &Place) -> Result<Figures> {
    let demand = Demand {
        cache,
        ..Demand::default()
    };
    let begun = Instant::now();
    let running = Running::start(server, &demand, place)?;
    Held::open(running.address, 1)?.exchange(1, b"first")?;
    let time_ms = begun.elapsed().as_secs_f64() * 1e3;
    Ok(Figures::from([(FIRST_REPLY, time_ms)]))
}
