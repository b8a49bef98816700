//! What is measured beside traffic: latency under a fixed rate, memory, starts, many connections, a
//! neighbour that spins, and swaps.

use crate::results::{ACTIVE, FIRST_REPLY, Figures, HELD, IDLE, P99, Spread, THROUGHPUT};
use crate::rounds::Run;
use crate::servers::{Demand, Running, Server, host};
use crate::traffic::{Load, Times, start};
use crate::{root, work};
use anyhow::{Context, Result, ensure};
use std::env;
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};
use system::descriptors;
use tools::bench::Usage;

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
pub const SPINNING: &str = "host, guest/probe";
pub const SWAPS: &str = "50 connections, the handler swapped under them every other second";
pub const SWAPPED: &str = "host, seconds with a swap";
pub const QUIET: &str = "host, quiet seconds";

/// A group of rows: its name, its row, whether it needs the host with a handler, and how it is
/// measured.
type Group = (&'static str, &'static str, bool, fn(&mut Run));
pub const GROUPS: [Group; 6] = [
    ("latency", LATENCY, false, latency),
    ("memory", MEMORY, false, memory),
    ("cold-start", COLD_START, false, cold_start),
    ("crowd", CROWD, true, crowd),
    ("neighbour", NEIGHBOUR, true, neighbour),
    ("swap", SWAPS, true, swaps),
];

/// Idle connections that shall be held.
const HELD_WANTED: u32 = 20_000;

/// Files that this process and the servers have open beside connections.
const OTHER_FILES: u64 = 100;

/// How long a connection, or a reply, may take.
const LIMIT: Duration = Duration::from_secs(10);

const MESSAGE: [u8; 64] = [b'm'; 64];

/// How late replies are under a load that does not wait for them.
fn latency(run: &mut Run) {
    // Half of what the plain native server reached under the same load without a rate.
    let loads = Load::all(false);
    let row = loads.iter().find(|load| load.is_first()).map(Load::name);
    let row = row.unwrap_or_default();
    let rates = run.samples.figures(&row, "native-plain", THROUGHPUT);
    let Some(peak) = Spread::of(rates.into_values()) else {
        let reason = "the peak rate of native-plain was not measured";
        return run.samples.skip(Some(LATENCY), "all", reason);
    };
    let options = format!("--size=64B --rate={:.0}", peak.median / 2.0);
    // Longer than other loads: so high a percentile needs many messages.
    let times = Times {
        warm_up: Duration::from_millis(200),
        measured: Duration::from_millis(1500),
    };
    let servers = run.chosen(&[
        "native-plain",
        "native-per-core",
        "host-rust",
        "host-rust-shared",
        "host-conversation",
    ]);
    run.row(LATENCY, run.rounds, &servers, |server| {
        let running = Running::start(&server, &Demand::of(50))?;
        start(&running, 50, &options, times)?.finish()
    });
}

/// What an open connection costs in memory, silent and after it has sent a message.
fn memory(run: &mut Run) {
    const CONNECTIONS: u32 = 1000;
    let settled = |server: &Running| -> Result<f64> {
        sleep(Duration::from_millis(300));
        Ok(Usage::of(server.process.pid())?.resident_bytes as f64)
    };
    let servers = run.chosen(&[
        "native-plain",
        "native-per-core",
        "host-built-in",
        "host-rust",
        "host-conversation",
    ]);
    run.row(MEMORY, run.fewer_rounds(), &servers, |server| {
        let running = Running::start(&server, &Demand::of(CONNECTIONS))?;
        // What every server needs once is not a connection's: code that is read in, and pools.
        exchange(&mut open(running.address, 8)?, &MESSAGE)?;
        let before = settled(&running)?;
        let mut held = open(running.address, CONNECTIONS)?;
        let idle = settled(&running)?;
        exchange(&mut held, &MESSAGE)?;
        let active = settled(&running)?;
        let each = |bytes: f64| (bytes - before) / f64::from(CONNECTIONS);
        Ok(Figures::from([(IDLE, each(idle)), (ACTIVE, each(active))]))
    });
}

/// How long it takes from starting a server to its first reply.
fn cold_start(run: &mut Run) {
    let first_reply = |(server, cache): (Server, bool)| -> Result<Figures> {
        let begun = Instant::now();
        let demand = Demand {
            cache,
            ..Demand::of(1000)
        };
        let running = Running::start(&server, &demand)?;
        exchange(&mut open(running.address, 1)?, b"first")?;
        let ms = begun.elapsed().as_secs_f64() * 1e3;
        Ok(Figures::from([(FIRST_REPLY, ms)]))
    };
    let starts = [
        ("native-plain", "native-plain", true),
        ("host-built-in without cache", "host-built-in", false),
        ("host-built-in with cache", "host-built-in", true),
        (RUST_COLD, "host-rust", false),
        (RUST_WARM, "host-rust", true),
        (JAVASCRIPT, "host-javascript", true),
    ];
    let mut subjects = Vec::new();
    for (subject, name, cache) in starts {
        for (_, server) in run.chosen(&[name]) {
            // Fills the cache. If it fails the rounds will tell.
            let _ = first_reply((server, cache));
            subjects.push((subject, (server, cache)));
        }
    }
    run.row(COLD_START, run.rounds, &subjects, first_reply);
}

/// How many connections can be held open here, up to the number wanted.
pub fn most_held() -> u32 {
    allowed(HELD_WANTED)
}

fn allowed(wanted: u32) -> u32 {
    let files = descriptors::allow_many().unwrap_or(u64::MAX);
    wanted.min(u32::try_from(files.saturating_sub(OTHER_FILES)).unwrap_or(wanted))
}

/// What many open connections cost those few that are used, and how many can be held.
fn crowd(run: &mut Run) {
    const USED: u32 = 100;
    let silent = allowed(10_000) - USED;
    let crowds = [
        (FEW, "host-rust", 0),
        (MANY, "host-rust", silent),
        ("native-plain among 100", "native-plain", 0),
        ("native-plain among 10000", "native-plain", silent),
    ];
    let mut subjects = Vec::new();
    for (subject, name, silent) in crowds {
        let servers = run.chosen(&[name]).into_iter();
        subjects.extend(servers.map(|(_, server)| (subject, (server, silent))));
    }
    let times = run.times;
    run.row(CROWD, run.fewer_rounds(), &subjects, |(server, silent)| {
        let running = Running::start(&server, &Demand::of(silent + USED))?;
        let _held = open(running.address, silent)?;
        start(&running, USED, "--size=64B", times)?.finish()
    });
    let most = most_held();
    if most < HELD_WANTED {
        let row = format!("{HELD_WANTED} idle connections");
        let reason = format!("a process may have at most {most} here: trying that many");
        run.samples.skip(Some(&row), "host-rust", &reason);
    }
    run.row(HELD_ROW, 1, &run.chosen(&["host-rust"]), |server| {
        let running = Running::start(&server, &Demand::of(most))?;
        let mut held = open(running.address, most)?;
        sleep(Duration::from_secs(3));
        let mut still_open = 0;
        for stream in &held {
            stream.set_nonblocking(true)?;
            let peeked = stream.peek(&mut [0]);
            still_open += u32::from(peeked.is_err_and(|it| it.kind() == ErrorKind::WouldBlock));
            stream.set_nonblocking(false)?;
        }
        exchange(&mut held[..200], b"still there?").context("a held connection does not reply")?;
        Ok(Figures::from([(HELD, f64::from(still_open))]))
    });
}

/// How long others wait while one connection's handler computes for ever.
fn neighbour(run: &mut Run) {
    const NEIGHBOURS: u32 = 10;
    let rounds = run.fewer_rounds().min(2);
    let probe = host("probe", "--no-control @GUESTS@/probe.wasm");
    run.row(NEIGHBOUR, rounds, &[(SPINNING, probe)], |probe| {
        let running = Running::start(&probe, &Demand::of(NEIGHBOURS))?;
        let neighbours = open(running.address, NEIGHBOURS)?.into_iter();
        let mut neighbours: Vec<_> = neighbours.map(BufReader::new).collect();
        neighbours.iter_mut().try_for_each(count)?;
        let mut spinning = open(running.address, 1)?;
        spinning[0].write_all(b"spin\n")?;
        let mut waits = thread::scope(|scope| {
            let neighbours = neighbours.into_iter();
            let threads = neighbours.map(|it| scope.spawn(|| go_on_counting(it)));
            let threads: Vec<_> = threads.collect();
            let waits = threads
                .into_iter()
                .map(|it| it.join().expect("it does not panic"));
            waits.collect::<Result<Vec<_>>>()
        })?
        .concat();
        waits.sort();
        let p99 = waits.get(waits.len() * 99 / 100);
        let p99 = p99.context("no neighbour got a reply")?;
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
    let count = reply.trim().parse::<u64>();
    count.map(drop).context("probe did not return a count")
}

/// How long clients wait in seconds with a swap, and in seconds without one.
fn swaps(run: &mut Run) {
    let seconds = [(SWAPPED, true), (QUIET, false)];
    run.row(SWAPS, run.fewer_rounds() * 5, &seconds, one_second);
}

fn one_second(is_swapped: bool) -> Result<Figures> {
    const CONNECTIONS: u32 = 50;
    let times = Times {
        warm_up: Duration::from_millis(300),
        measured: Duration::from_secs(1),
    };
    let (control, next) = (work().join("swaps.sock"), work().join("next.wasm"));
    // Another version: the same with a custom section at its end.
    let echo = fs::read(root().join("target/guests/echo.wasm"))?;
    fs::write(&next, [&echo[..], &[0, 2, 1, b'2']].concat())?;
    let options = "--control @WORK@/swaps.sock --swap next-message @GUESTS@/echo.wasm";
    let running = Running::start(&host("swaps", options), &Demand::of(CONNECTIONS))?;
    let load = start(&running, CONNECTIONS, "--rate=5000", times)?;
    if is_swapped {
        // Early in the measured second, so that its effect on clients is over by the end of it.
        sleep(times.warm_up + Duration::from_millis(200));
        let mut swap = Command::new(env::current_exe()?.with_file_name("echo-host"));
        swap.arg("swap").arg("--control").arg(&control).arg(&next);
        let output = swap.output()?;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "a swap was refused: {error}");
    }
    load.finish()
}

/// Opens connections one after the other.
fn open(address: SocketAddr, count: u32) -> Result<Vec<TcpStream>> {
    let connect = || {
        let stream = TcpStream::connect_timeout(&address, LIMIT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.set_write_timeout(Some(LIMIT))?;
        Ok::<_, std::io::Error>(stream)
    };
    let open = |number| connect().with_context(|| format!("connection {number} of {count}"));
    (0..count).map(open).collect()
}

/// Sends a message on each connection, and waits for its echo.
fn exchange(connections: &mut [TcpStream], message: &[u8]) -> Result<()> {
    let mut reply = vec![0; message.len()];
    for stream in connections {
        stream.write_all(message)?;
        stream.read_exact(&mut reply)?;
        ensure!(reply == message, "the reply differs from the message");
    }
    Ok(())
}
