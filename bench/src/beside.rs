//! What is measured beside traffic: latency under a fixed rate, memory, starts, many connections, a
//! neighbour that spins, and swaps.

use crate::held::{Held, allow_connections, connect};
use crate::load::{self, Load, Times};
use crate::place::{self, guest};
use crate::run::Run;
use crate::samples::{ACTIVE, FIRST_REPLY, Figures, HELD, IDLE, P99, Spread, THROUGHPUT};
use crate::servers::{Demand, Running, Server, host};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Command;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

pub const LATENCY: &str = "64 B, 50 connections, at half of native's peak rate";
pub const MEMORY: &str = "resident memory for each connection";
pub const COLD_START: &str = "from start to first reply";
pub const RUST_COLD: &str = "host-rust without cache";
pub const RUST_WARM: &str = "host-rust with cache";
pub const JAVASCRIPT: &str = "host-javascript with cache";
pub const CROWD: &str = "64 B, 100 connections among so many that are open";
pub const FEW: &str = "host-rust among 100";
pub const MANY: &str = "host-rust among 10000";
pub const HELD_ROW: &str = "idle connections held";
pub const NEIGHBOUR: &str = "beside one in an endless loop";
pub const PROBE: &str = "host, guest/probe";
pub const SWAPS: &str = "50 connections, the handler swapped under them every other second";
pub const SWAPPED: &str = "host, seconds with a swap";
pub const QUIET: &str = "host, quiet seconds";

/// Idle connections that shall be held.
pub const HELD_WANTED: u32 = 20_000;

const MESSAGE: [u8; 64] = [b'm'; 64];

/// How late replies are under a load that does not wait for them.
pub fn latency(run: &mut Run) {
    let Some(rate) = peak_per_s(run) else {
        let reason = "the peak rate of native-plain was not measured";
        return run.samples.skip(Some(LATENCY), "all", reason);
    };
    let options = ["--size=64B".to_owned(), format!("--rate={:.0}", rate / 2.0)];
    // Longer than other loads: so high a percentile needs many messages.
    let times = Times {
        warm_up: Duration::from_millis(200),
        measured: Duration::from_millis(1500),
    };
    use Server::*;
    let servers = run.chosen(&[
        NativePlain,
        NativePerCore,
        HostRust,
        HostRustShared,
        HostConversation,
    ]);
    run.row(LATENCY, run.plan.rounds, &servers, |server| {
        let running = Running::start(server, &Demand::of(50))?;
        load::start(&running, 50, &options, &times)?.finish()
    });
}

/// What the plain native server reached under the same load without a rate.
fn peak_per_s(run: &Run) -> Option<f64> {
    let mut rows = Load::all(true).into_iter();
    let row = rows
        .find(|load| load.is_main() && load.message_bytes == 64)?
        .name();
    let rates = run
        .samples
        .figures(&row, Server::NativePlain.name(), THROUGHPUT);
    Some(Spread::of(rates.into_values())?.median)
}

/// What an open connection costs in memory, silent and after it has sent a message.
pub fn memory(run: &mut Run) {
    const CONNECTIONS: u32 = 1000;
    let settled = |server: &Running| {
        sleep(Duration::from_millis(300));
        server.process.resident_bytes()
    };
    use Server::*;
    let servers = run.chosen(&[
        NativePlain,
        NativePerCore,
        HostBuiltIn,
        HostRust,
        HostConversation,
    ]);
    run.row(MEMORY, run.plan.fewer_rounds(), &servers, |server| {
        let running = Running::start(server, &Demand::of(CONNECTIONS))?;
        // What every server needs once is not a connection's: code that is read in, and pools.
        Held::open(running.address, 8)?.exchange(8, &MESSAGE)?;
        let before = settled(&running)?;
        let mut held = Held::open(running.address, CONNECTIONS)?;
        let idle = settled(&running)?;
        held.exchange(CONNECTIONS as usize, &MESSAGE)?;
        let active = settled(&running)?;
        let each = |bytes: f64| (bytes - before) / f64::from(CONNECTIONS);
        Ok(Figures::from([(IDLE, each(idle)), (ACTIVE, each(active))]))
    });
}

/// How long it takes from starting a server to its first reply.
pub fn cold_start(run: &mut Run) {
    let first_reply = |(server, cache): (Server, bool)| -> Result<Figures> {
        let begun = Instant::now();
        let running = Running::start(
            server,
            &Demand {
                cache,
                ..Demand::of(1000)
            },
        )?;
        Held::open(running.address, 1)?.exchange(1, b"first")?;
        Ok(Figures::from([(
            FIRST_REPLY,
            begun.elapsed().as_secs_f64() * 1e3,
        )]))
    };
    let mut starts = vec![
        ("native-plain", (Server::NativePlain, true)),
        ("host-built-in without cache", (Server::HostBuiltIn, false)),
        ("host-built-in with cache", (Server::HostBuiltIn, true)),
        (RUST_COLD, (Server::HostRust, false)),
        (RUST_WARM, (Server::HostRust, true)),
        (JAVASCRIPT, (Server::HostJavaScript, true)),
    ];
    starts.retain(|(_, (server, _))| run.servers.contains(server));
    for (_, start) in &starts {
        // Fills the cache. If it fails the rounds will tell.
        let _ = first_reply(*start);
    }
    run.row(COLD_START, run.plan.rounds, &starts, first_reply);
}

/// What many open connections cost those few that are used, and how many can be held.
pub fn crowd(run: &mut Run) {
    const USED: u32 = 100;
    let silent = allow_connections(10_000) - USED;
    let crowds = [
        (FEW, (Server::HostRust, 0)),
        (MANY, (Server::HostRust, silent)),
        ("native-plain among 100", (Server::NativePlain, 0)),
        ("native-plain among 10000", (Server::NativePlain, silent)),
    ];
    let times = run.plan.times;
    run.row(
        CROWD,
        run.plan.fewer_rounds(),
        &crowds,
        |(server, silent)| {
            let running = Running::start(server, &Demand::of(silent + USED))?;
            let _held = Held::open(running.address, silent)?;
            load::start(&running, USED, &["--size=64B".to_owned()], &times)?.finish()
        },
    );
    let most = allow_connections(HELD_WANTED);
    if most < HELD_WANTED {
        let row = format!("{HELD_WANTED} idle connections");
        let reason = format!("a process may have at most {most} here: trying that many");
        run.samples
            .skip(Some(&row), Server::HostRust.name(), &reason);
    }
    run.row(HELD_ROW, 1, &run.chosen(&[Server::HostRust]), |server| {
        let running = Running::start(server, &Demand::of(most))?;
        let mut held = Held::open(running.address, most)?;
        sleep(Duration::from_secs(3));
        let open = held.still_open()?;
        let context = "a held connection does not reply";
        held.exchange(200, b"still there?").context(context)?;
        Ok(Figures::from([(HELD, f64::from(open))]))
    });
}

/// How long others wait while one connection's handler computes for ever.
pub fn neighbour(run: &mut Run) {
    const NEIGHBOURS: u32 = 10;
    let rounds = run.plan.fewer_rounds().min(2);
    run.row(NEIGHBOUR, rounds, &[(PROBE, ())], |()| {
        let mut command = host(NEIGHBOURS, true);
        command.arg("--no-control").arg(guest("probe"));
        let running = Running::spawn(command, None, "probe")?;
        let open = |_| {
            let mut neighbour = BufReader::new(connect(running.address)?);
            count(&mut neighbour)?;
            Ok(neighbour)
        };
        let neighbours = (0..NEIGHBOURS).map(open).collect::<Result<Vec<_>>>()?;
        let mut spinning = connect(running.address)?;
        spinning.write_all(b"spin\n")?;
        let mut waits = thread::scope(|scope| {
            let threads: Vec<_> = neighbours
                .into_iter()
                .map(|it| scope.spawn(|| go_on_counting(it)))
                .collect();
            let mut waits = Vec::new();
            for thread in threads {
                waits.extend(thread.join().ok().context("a neighbour panicked")??);
            }
            Ok::<_, anyhow::Error>(waits)
        })?;
        waits.sort();
        let p99 = waits
            .get(waits.len() * 99 / 100)
            .context("no neighbour got a reply")?;
        Ok(Figures::from([(P99, p99.as_secs_f64() * 1e6)]))
    });
}

/// Asks every 10 ms, for less time than the host's call timeout, which would end the loop. Returns
/// how long each reply took from when its question was due.
fn go_on_counting(mut neighbour: BufReader<TcpStream>) -> Result<Vec<Duration>> {
    let begun = Instant::now();
    let mut waits = Vec::new();
    for question in 0..450 {
        let due = begun + Duration::from_millis(10) * question;
        sleep(due.saturating_duration_since(Instant::now()));
        count(&mut neighbour)?;
        waits.push(due.elapsed());
    }
    Ok(waits)
}

fn count(neighbour: &mut BufReader<TcpStream>) -> Result<()> {
    neighbour.get_mut().write_all(b"count\n")?;
    let mut reply = String::new();
    neighbour.read_line(&mut reply)?;
    let _: u64 = reply
        .trim()
        .parse()
        .context("probe did not return a count")?;
    Ok(())
}

/// How long clients wait in seconds with a swap, and in seconds without one.
pub fn swaps(run: &mut Run) {
    let rounds = run.plan.fewer_rounds() * 5;
    run.row(
        SWAPS,
        rounds,
        &[(SWAPPED, true), (QUIET, false)],
        one_second,
    );
}

fn one_second(is_swapped: bool) -> Result<Figures> {
    const CONNECTIONS: u32 = 50;
    let times = Times {
        warm_up: Duration::from_millis(300),
        measured: Duration::from_secs(1),
    };
    let (control, next) = (
        place::work().join("swaps.sock"),
        place::work().join("next.wasm"),
    );
    // Another version: the same with a custom section at its end.
    fs::write(
        &next,
        [&fs::read(guest("echo"))?[..], &[0, 2, 1, b'2']].concat(),
    )?;
    let mut command = host(CONNECTIONS, true);
    command.arg("--control").arg(&control);
    command.args(["--swap", "next-message"]).arg(guest("echo"));
    let running = Running::spawn(command, None, "swaps")?;
    let options = ["--rate=5000".to_owned()];
    let load = load::start(&running, CONNECTIONS, &options, &times)?;
    if is_swapped {
        // Early in the measured second, so that its effect on clients is over by the end of it.
        sleep(times.warm_up + Duration::from_millis(200));
        let mut swap = Command::new(place::built("echo-host"));
        let output = swap
            .arg("swap")
            .arg("--control")
            .arg(&control)
            .arg(&next)
            .output()?;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "a swap was refused: {error}");
    }
    load.finish()
}
