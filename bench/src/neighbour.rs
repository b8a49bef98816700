//! How long others wait while one connection's handler computes for ever.

use crate::holder::Held;
use crate::place::Place;
use crate::sample::{Figures, P99, Samples};
use crate::servers::{Process, host};
use anyhow::{Context, Result};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

pub const ROW: &str = "beside one in an endless loop";
pub const SERVER: &str = "host, guest/probe";

/// Connections that are asked beside the one that spins, and how often each is. The generator of `echo-host
/// bench` is of no use here: probe does not echo.
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
    command.arg(place.guest("probe"));
    let mut process = Process::start(command, &place.log("probe"))?;
    let line = process.line(LIMIT)?;
    let address = line.strip_prefix("listening on tcp://");
    let address = address
        .context("the host does not tell its address")?
        .parse()?;
    let mut neighbours = (0..NEIGHBOURS)
        .map(|_| Neighbour::connect(address))
        .collect::<Result<Vec<_>>>()?;
    for neighbour in &mut neighbours {
        neighbour.ask()?;
    }
    let spinning = Held::open(address, 1)?;
    spinning.send(b"spin\n")?;
    let threads = neighbours
        .into_iter()
        .map(|it| thread::spawn(|| it.go_on()));
    // All are started before the first is waited for.
    let threads: Vec<_> = threads.collect();
    let mut waits = Vec::new();
    for thread in threads {
        waits.extend(thread.join().ok().context("a neighbour panicked")??);
    }
    waits.sort();
    let worst = waits.len() * 99 / 100;
    let p99 = waits.get(worst).context("no neighbour was answered")?;
    Ok(Figures::from([(P99, p99.as_secs_f64() * 1e6)]))
}

struct Neighbour {
    stream: TcpStream,
    replies: BufReader<TcpStream>,
}

impl Neighbour {
    fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&address, LIMIT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        let replies = BufReader::new(stream.try_clone()?);
        Ok(Neighbour { stream, replies })
    }

    /// Sends a line, and returns how long its reply took.
    fn ask(&mut self) -> Result<Duration> {
        let asked = Instant::now();
        self.stream.write_all(b"count\n")?;
        let mut reply = String::new();
        self.replies.read_line(&mut reply)?;
        let _: u64 = reply.trim().parse().context("probe does not count")?;
        Ok(asked.elapsed())
    }

    /// Asks at fixed times; a reply that is late makes those behind it late as well.
    fn go_on(mut self) -> Result<Vec<Duration>> {
        let begun = Instant::now();
        let mut waits = Vec::new();
        let mut due = begun;
        while due < begun + MEASURED {
            sleep(due.saturating_duration_since(Instant::now()));
            let late = due.elapsed();
            self.ask().map(|wait| waits.push(late + wait))?;
            due += EVERY;
        }
        Ok(waits)
    }
}
