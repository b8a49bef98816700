//! Connections that are held open, most of them silent.

use anyhow::{Context, Result, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// How long a connection, or a reply, may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Connections from one source address: there are about 28,000 ports for each.
const PER_SOURCE: u32 = 10_000;

/// Files that this process and the servers have open beside connections.
const OTHER_FILES: u64 = 100;

/// Lets this process and those it starts have as many files open as the system allows, and returns how many
/// connections that is.
pub fn allow_many_connections(wanted: u32) -> u32 {
    let wanted_files = u64::from(wanted) + OTHER_FILES;
    let mut limit = getrlimit(Resource::Nofile);
    if limit.maximum.is_some_and(|most| most < wanted_files) {
        let raised = Rlimit {
            current: Some(wanted_files),
            maximum: Some(wanted_files),
        };
        // Only for those who may.
        if setrlimit(Resource::Nofile, raised).is_ok() {
            return wanted;
        }
    }
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
    let files = limit.maximum.unwrap_or(wanted_files);
    wanted.min(u32::try_from(files.saturating_sub(OTHER_FILES)).unwrap_or(wanted))
}

/// Open connections. They close when this is dropped.
pub struct Held(Vec<TcpStream>);

impl Held {
    /// Opens connections one after the other, from more than one address of this machine if they are many.
    pub fn open(address: SocketAddr, count: u32) -> Result<Self> {
        let mut streams = Vec::with_capacity(count as usize);
        for number in 0..count {
            let stream = open(address, number / PER_SOURCE);
            streams.push(stream.with_context(|| format!("connection {number} of {count}"))?);
        }
        Ok(Held(streams))
    }

    /// Sends something on all of them, and does not wait for what comes back.
    pub fn send(&self, bytes: &[u8]) -> Result<()> {
        for mut stream in &self.0 {
            stream.write_all(bytes)?;
        }
        Ok(())
    }

    /// Sends a message on each of the first so many connections, and waits for its reply.
    pub fn exchange(&mut self, count: usize, message: &[u8]) -> Result<()> {
        let mut reply = vec![0; message.len()];
        for stream in self.0.iter_mut().take(count) {
            stream.write_all(message)?;
            stream.read_exact(&mut reply)?;
            if reply != message {
                bail!("the reply is not what was sent");
            }
        }
        Ok(())
    }

    /// How many are still open.
    pub fn still_open(&self) -> Result<u32> {
        let mut open = 0;
        for stream in &self.0 {
            stream.set_nonblocking(true)?;
            match stream.peek(&mut [0]) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => open += 1,
                _ => {}
            }
            stream.set_nonblocking(false)?;
        }
        Ok(open)
    }
}

fn open(address: SocketAddr, source: u32) -> Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    if source > 0 {
        let last = 1 + u8::try_from(source).context("too many connections")?;
        socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0)).into())?;
    }
    socket.connect_timeout(&address.into(), LIMIT)?;
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn what_the_server_closes_is_not_held() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut held = Held::open(address, 3).unwrap();
        let (mut first, _) = listener.accept().unwrap();
        let second = listener.accept().unwrap();
        first.write_all(b"echo").unwrap();
        held.exchange(1, b"echo").unwrap();
        assert_eq!(held.still_open().unwrap(), 3);
        drop(second);
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(held.still_open().unwrap(), 2);
        // From another address of this machine.
        let stream = open(address, 1).unwrap();
        assert_eq!(
            stream.local_addr().unwrap().ip(),
            Ipv4Addr::new(127, 0, 0, 2)
        );
    }
}
