//! How late replies are under a load that does not wait for them: half of what the plain native server
//! reaches.

use crate::load::{Load, Times, drive};
use crate::place::Place;
use crate::sample::{Samples, THROUGHPUT};
use crate::servers::{Demand, Running, Server};
use crate::spread::Spread;
use anyhow::Result;
use std::time::Duration;

pub const ROW: &str = "64 B, 50 connections, at half of native's peak rate";

const CONNECTIONS: u32 = 50;
const SERVERS: [Server; 5] = [
    Server::NativePlain,
    Server::NativePerCore,
    Server::HostRust,
    Server::HostRustShared,
    Server::HostConversation,
];

/// Longer than other loads: a percentile so high needs many messages.
const TIMES: Times = Times {
    warm_up: Duration::from_millis(200),
    measured: Duration::from_millis(1500),
};

pub fn run(rounds: u32, wanted: &dyn Fn(Server) -> bool, place: &Place, samples: &mut Samples) {
    let Some(rate) = peak_per_s(samples) else {
        return samples.skip(
            Some(ROW),
            "all",
            "native-plain's peak rate was not measured",
        );
    };
    let options = ["--size=64B".to_owned(), format!("--rate={:.0}", rate / 2.0)];
    for round in 0..rounds {
        for server in SERVERS.into_iter().filter(|server| wanted(*server)) {
            let measure = || -> Result<_> {
                let running = Running::start(server, &Demand::default(), place)?;
                drive(&running, CONNECTIONS, &options, &TIMES, place)
            };
            samples.add(ROW, server.name(), round, measure());
        }
    }
}

/// What the plain native server reached under the same load, but for the rate.
fn peak_per_s(samples: &Samples) -> Option<f64> {
    let rows = Load::all(true);
    let row = rows
        .iter()
        .find(|load| load.connections == CONNECTIONS && load.message_bytes == 64)?
        .name();
    let rates = samples.figures(&row, Server::NativePlain.name(), THROUGHPUT);
    Some(Spread::of(rates.map(|(_, rate)| rate))?.median)
}
