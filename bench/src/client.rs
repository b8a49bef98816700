//! A client that asks at fixed times, for what `echo-host bench` is of no use for: handlers that do not echo,
//! and moments that matter.

use anyhow::Result;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(10);

pub struct Client {
    stream: TcpStream,
    replies: BufReader<TcpStream>,
}

/// A question that was due, and how long its reply took from then on.
pub struct Wait {
    pub due: Instant,
    pub time: Duration,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&address, LIMIT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        let replies = BufReader::new(stream.try_clone()?);
        Ok(Client { stream, replies })
    }

    /// Sends a line and waits for the reply, which is another.
    pub fn ask(&mut self, line: &str) -> Result<String> {
        self.stream.write_all(line.as_bytes())?;
        let mut reply = String::new();
        self.replies.read_line(&mut reply)?;
        Ok(reply)
    }

    /// Asks at fixed times, for so long; a reply that is late makes those behind it late as well. Every reply
    /// is checked.
    pub fn ask_on(
        mut self,
        line: &str,
        every: Duration,
        time: Duration,
        check: impl Fn(&str) -> Result<()>,
    ) -> Result<Vec<Wait>> {
        let begun = Instant::now();
        let mut waits = Vec::new();
        let mut due = begun;
        while due < begun + time {
            sleep(due.saturating_duration_since(Instant::now()));
            check(&self.ask(line)?)?;
            waits.push(Wait {
                due,
                time: due.elapsed(),
            });
            due += every;
        }
        Ok(waits)
    }
}

/// The 99th percentile, in microseconds.
pub fn p99_us<'a>(waits: impl Iterator<Item = &'a Wait>) -> Option<f64> {
    let mut times: Vec<_> = waits.map(|wait| wait.time).collect();
    times.sort();
    let p99 = times.get(times.len() * 99 / 100)?;
    Some(p99.as_secs_f64() * 1e6)
}
