//! How long clients wait in seconds in which the handler is swapped, and in seconds in which it is not.

use crate::client::{Client, Wait, p99_us};
use crate::place::Place;
use crate::sample::{Figures, P99, Samples};
use crate::servers::{Process, host};
use anyhow::{Context, Result, ensure};
use std::process::Command;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

pub const ROW: &str = "50 connections, the handler swapped under them every other second";
/// The seconds with a swap, and those without.
pub const SWAPPED: &str = "host, seconds with a swap";
pub const QUIET: &str = "host, quiet seconds";

const CLIENTS: u32 = 50;
/// Each asks so often: 5000 messages a second together.
const EVERY: Duration = Duration::from_millis(10);
const SECONDS: u64 = 10;
const LIMIT: Duration = Duration::from_secs(10);

pub fn run(rounds: u32, place: &Place, samples: &mut Samples) {
    for round in 0..rounds {
        match measure(place) {
            Ok([swapped, quiet]) => {
                samples.add(ROW, SWAPPED, round, Ok::<_, String>(swapped));
                samples.add(ROW, QUIET, round, Ok::<_, String>(quiet));
            }
            Err(error) => samples.skip(Some(ROW), SWAPPED, &format!("{error:#}")),
        }
    }
}

fn measure(place: &Place) -> Result<[Figures; 2]> {
    let control = place.work().join("swaps.sock");
    let versions = [place.guest("echo"), place.guest("upper")];
    let mut command = host(place, CLIENTS, true);
    command.arg("--control").arg(&control);
    command.args(["--swap", "next-message"]).arg(&versions[0]);
    let mut process = Process::start(command, &place.log("swaps"))?;
    let address = process.address(LIMIT)?;
    let clients = (0..CLIENTS).map(|_| {
        let mut client = Client::connect(address)?;
        answered(&client.ask("0123456789\n")?)?;
        Ok(client)
    });
    let clients = clients.collect::<Result<Vec<_>>>()?;
    let begun = Instant::now();
    let measured = Duration::from_secs(SECONDS);
    let go_on =
        |it: Client| thread::spawn(move || it.ask_on("0123456789\n", EVERY, measured, answered));
    let threads: Vec<_> = clients.into_iter().map(go_on).collect();
    for second in (1..SECONDS).step_by(2) {
        // A little into its second, so that what it does to clients is over by the end of it.
        let when = begun + Duration::from_secs(second) + Duration::from_millis(100);
        sleep(when.saturating_duration_since(Instant::now()));
        let mut swap = Command::new(place.built("echo-host"));
        swap.arg("swap").arg("--control").arg(&control);
        swap.arg(&versions[(second as usize / 2 + 1) % 2]);
        let output = swap.output().context("cannot start echo-host swap")?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "a swap was refused: {said}");
    }
    let mut waits = Vec::new();
    for thread in threads {
        waits.extend(thread.join().ok().context("a client panicked")??);
    }
    let in_swapped = |wait: &&Wait| wait.due.duration_since(begun).as_secs() % 2 == 1;
    let (swapped, quiet): (Vec<_>, Vec<_>) = waits.iter().partition(in_swapped);
    let figures = |waits: Vec<&Wait>| -> Result<Figures> {
        let p99 = p99_us(waits.into_iter()).context("nobody was answered")?;
        Ok(Figures::from([(P99, p99)]))
    };
    Ok([figures(swapped)?, figures(quiet)?])
}

/// Both versions answer digits with themselves.
fn answered(reply: &str) -> Result<()> {
    ensure!(reply == "0123456789\n", "a reply is wrong: {reply:?}");
    Ok(())
}
