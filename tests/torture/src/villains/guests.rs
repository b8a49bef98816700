//! Clients that make guests misbehave: responders, conversations, and programs, in each isolation.

use super::read_rest;
use crate::door;
use crate::record::Met;
use crate::site::{Site, villain};
use fastrand::Rng;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

const RESPONDERS: [&str; 3] = ["probe-connection", "probe-shared", "probe-message"];

/// Misdeeds of every guest of the tests: see tests/misdeeds.
const MISDEEDS: [&str; 19] = [
    "panic on purpose",
    "unreachable",
    "outside",
    "recurse",
    "spin",
    "hang",
    "stdin",
    "exit 0",
    "exit 3",
    "hoard",
    "pollables",
    "random 1048577",
    "random 18446744073709551615",
    "complain \\e[2J\\rforged",
    "flood",
    "wait 200000000",
    "socket",
    "name localhost",
    "plant 7",
];

/// Misdeeds of responders only.
const OF_RESPONDERS: [&str; 5] = [
    "allocate 4294967295",
    "allocate 12000000",
    "reply 15000000",
    "sleep 1000000",
    "read /etc/passwd",
];

/// Misdeeds of the puppet.
const OF_CONVERSATIONS: [&str; 12] = [
    "spin",
    "panic",
    "flood 8000000; close",
    "flood 8000000; reset",
    "queue 10000000",
    "framing fixed:1",
    "framing fixed:60000",
    "timer 1 0; timer 2 4294967295; timer 3 100; timer 4 5000",
    "fail protocol",
    "fail internal",
    "tell 1 psst; sessions",
    "reset",
];

/// Misdeeds of the saboteur only.
const OF_SESSIONS: [&str; 12] = [
    "sends 1000000",
    "flood 500000",
    "flood 900000",
    "floods 8000000",
    "timers 1000",
    "timers 1025",
    "framings 100001",
    "sessions",
    "forge 7",
    "keep",
    "haunt 5000000",
    "bytes 12000000",
];

/// The points where it commits them.
const POINTS: [&str; 10] = [
    "start", "describe", "open", "message", "eof", "timer", "writable", "shutdown", "save", "drop",
];

/// Time limit for a guest: longer than its call timeout.
const PATIENCE: Duration = Duration::from_secs(2);

pub async fn responder(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    let service = RESPONDERS[rng.usize(..RESPONDERS.len())];
    let misdeed = match rng.u8(..4) {
        0 => any(&OF_RESPONDERS, &mut rng),
        _ => any(&MISDEEDS, &mut rng),
    };
    say(&site, service, misdeed, &mut rng).await
}

pub async fn conversation(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    let misdeed = any(&OF_CONVERSATIONS, &mut rng);
    say(&site, "puppet", misdeed, &mut rng).await
}

pub async fn program(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    let misdeed = any(&MISDEEDS, &mut rng);
    say(&site, "rogue", misdeed, &mut rng).await
}

/// Leaves an order for the saboteur, and brings one of its sessions past most points.
pub async fn session(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    let order = if rng.bool() {
        any(&MISDEEDS, &mut rng)
    } else {
        any(&OF_SESSIONS, &mut rng)
    };
    let point = any(&POINTS, &mut rng);
    if ["timer", "writable"].contains(&point) {
        let before = if point == "timer" {
            "timers 3"
        } else {
            "flood 500000"
        };
        put(&site, "message", before)?;
    }
    put(&site, point, order)?;
    say(&site, "saboteur", "hello", &mut rng).await
}

fn put(site: &Site, point: &str, order: &str) -> io::Result<()> {
    std::fs::write(site.files.path("orders").join(point), order)
}

/// Sends a line to a service, and records the outcome.
async fn say(site: &Site, service: &str, line: &str, rng: &mut Rng) -> io::Result<Met> {
    let mut stream = door::tcp(site.tcp(service), villain(rng)).await?;
    stream
        .write_all(format!("{line}\nhelp\n").as_bytes())
        .await?;
    if rng.bool() {
        stream.shutdown().await?;
    }
    read_rest(&mut stream, PATIENCE).await
}

fn any(choice: &[&'static str], rng: &mut Rng) -> &'static str {
    choice[rng.usize(..choice.len())]
}
