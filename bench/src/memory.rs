//! What an open connection costs in memory: while it is silent, and after it has sent a message.

use crate::holder::Held;
use crate::place::Place;
use crate::sample::{ACTIVE, Figures, IDLE, Samples};
use crate::servers::{Demand, Process, Running, Server};
use anyhow::Result;
use std::thread::sleep;
use std::time::Duration;

pub const ROW: &str = "resident memory for each connection";

const SERVERS: [Server; 5] = [
    Server::NativePlain,
    Server::NativePerCore,
    Server::HostBuiltIn,
    Server::HostRust,
    Server::HostConversation,
];

const CONNECTIONS: u32 = 1000;
const MESSAGE: [u8; 64] = [b'm'; 64];

/// How long a server has to do what it does after a connection was opened.
const SETTLE: Duration = Duration::from_millis(300);

pub fn run(rounds: u32, wanted: &dyn Fn(Server) -> bool, place: &Place, samples: &mut Samples) {
    for round in 0..rounds {
        for server in SERVERS.into_iter().filter(|server| wanted(*server)) {
            samples.add(ROW, server.name(), round, measure(server, place));
        }
    }
}

fn measure(server: Server, place: &Place) -> Result<Figures> {
    let demand = Demand {
        connections: CONNECTIONS,
        ..Demand::default()
    };
    let running = Running::start(server, &demand, place)?;
    // What every server needs once is not a connection's: code that is read in, and pools.
    Held::open(running.address, 8)?.exchange(8, &MESSAGE)?;
    let before = settled(&running.process)?;
    let mut held = Held::open(running.address, CONNECTIONS)?;
    let idle = settled(&running.process)?;
    held.exchange(CONNECTIONS as usize, &MESSAGE)?;
    let active = settled(&running.process)?;
    let each = |bytes: f64| (bytes - before) / f64::from(CONNECTIONS);
    Ok(Figures::from([(IDLE, each(idle)), (ACTIVE, each(active))]))
}

fn settled(process: &Process) -> Result<f64> {
    sleep(SETTLE);
    process.resident_bytes()
}
