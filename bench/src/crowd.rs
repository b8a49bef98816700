//! What many open connections cost those few that are used, and how many can be held.

use crate::holder::{Held, allow_many_connections};
use crate::load::{Times, drive};
use crate::place::Place;
use crate::sample::{Figures, HELD, Samples};
use crate::servers::{Demand, Running, Server};
use anyhow::{Context, Result};
use std::thread::sleep;
use std::time::Duration;

pub const ROW: &str = "64 B, 100 connections among so many that are open";
/// The host with no connection but those that are used.
pub const FEW: &str = "host-rust among 100";
/// The host with others that are silent.
pub const MANY: &str = "host-rust among 10000";
pub const HELD_ROW: &str = "idle connections held";

const HELD_WANTED: u32 = 20_000;

const USED: u32 = 100;
const OPEN: u32 = 10_000;
const OURS: Server = Server::HostRust;

/// How long connections are held, and how many of them are asked afterwards.
const HOLD: Duration = Duration::from_secs(3);
const ASKED: usize = 200;

pub fn run(rounds: u32, times: &Times, place: &Place, samples: &mut Samples) {
    let open = allow_many_connections(OPEN);
    for round in 0..rounds {
        for (server, name, silent) in [
            (OURS, FEW, 0),
            (OURS, MANY, open - USED),
            (Server::NativePlain, "native-plain among 100", 0),
            (Server::NativePlain, "native-plain among 10000", open - USED),
        ] {
            let result = among(server, silent, times, place);
            samples.add(ROW, name, round, result);
        }
    }
    let most = held_wanted();
    if most < HELD_WANTED {
        let row = format!("{HELD_WANTED} idle connections");
        let reason = format!("no process may have more than {most} here: that many are tried");
        samples.skip(Some(&row), OURS.name(), &reason);
    }
    samples.add(HELD_ROW, OURS.name(), 0, hold(most, place));
}

/// How many connections are to be held: as many as this machine allows, if those are fewer.
pub fn held_wanted() -> u32 {
    allow_many_connections(HELD_WANTED)
}

fn among(server: Server, silent: u32, times: &Times, place: &Place) -> Result<Figures> {
    let demand = Demand {
        connections: silent + USED,
        ..Demand::default()
    };
    let running = Running::start(server, &demand, place)?;
    let held = Held::open(running.address, silent)?;
    let figures = drive(&running, USED, &["--size=64B".to_owned()], times, place)?;
    drop(held);
    Ok(figures)
}

/// Opens connections, leaves them alone and counts those that are still there and answer.
fn hold(count: u32, place: &Place) -> Result<Figures> {
    let demand = Demand {
        connections: count,
        ..Demand::default()
    };
    let running = Running::start(OURS, &demand, place)?;
    let mut held = Held::open(running.address, count)?;
    sleep(HOLD);
    let open = held.still_open()?;
    held.exchange(ASKED, b"still there?")
        .context("a connection that was held does not answer")?;
    Ok(Figures::from([(HELD, f64::from(open))]))
}
