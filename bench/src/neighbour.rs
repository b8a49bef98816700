//! How long others wait while one connection's handler computes for ever.

use crate::client::{Client, p99_us};
use crate::holder::Held;
use crate::place::Place;
use crate::sample::{Figures, P99, Samples};
use crate::servers::{Process, host};
use anyhow::{Context, Result};
use std::thread;
use std::time::Duration;

pub const ROW: &str = "beside one in an endless loop";
pub const SERVER: &str = "host, guest/probe";

/// Connections that are asked beside the one that spins, and how often each is.
const NEIGHBOURS: u32 = 10;
const EVERY: Duration = Duration::from_millis(10);

/// Less than the host's call timeout, which would end the loop.
const MEASURED: Duration = Duration::from_millis(4500);

const LIMIT: Duration = Duration::from_secs(10);

pub fn run(rounds: u32, place: &Place, samples: &mut Samples) {
    for round in 0..rounds {
        samples.add(ROW, SERVER, round, measure(place));
    }
}

fn measure(place: &Place) -> Result<Figures> {
    let mut command = host(place, NEIGHBOURS, true);
    command.arg("--no-control").arg(place.guest("probe"));
    let mut process = Process::start(command, &place.log("probe"))?;
    let address = process.address(LIMIT)?;
    let neighbours = (0..NEIGHBOURS).map(|_| {
        let mut neighbour = Client::connect(address)?;
        counted(&neighbour.ask("count\n")?)?;
        Ok(neighbour)
    });
    let neighbours = neighbours.collect::<Result<Vec<_>>>()?;
    let spinning = Held::open(address, 1)?;
    spinning.send(b"spin\n")?;
    let go_on = |it: Client| thread::spawn(|| it.ask_on("count\n", EVERY, MEASURED, counted));
    // All are started before the first is waited for.
    let threads: Vec<_> = neighbours.into_iter().map(go_on).collect();
    let mut waits = Vec::new();
    for thread in threads {
        waits.extend(thread.join().ok().context("a neighbour panicked")??);
    }
    let p99 = p99_us(waits.iter()).context("no neighbour was answered")?;
    Ok(Figures::from([(P99, p99)]))
}

fn counted(reply: &str) -> Result<()> {
    let _: u64 = reply.trim().parse().context("probe does not count")?;
    Ok(())
}
