//! Connections that are held open, most of them silent.

use anyhow::{Context, Result, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long a connection, or a reply, may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Files that this process and the servers have open beside connections.
const OTHER_FILES: u64 = 100;

/// Raises the limit of open files for this process and its children as far as the system allows,
/// and returns how many connections that is, up to the number wanted.
pub fn allow_connections(wanted: u32) -> u32 {
    let wanted_files = u64::from(wanted) + OTHER_FILES;
    let most = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    let raised = |files| {
        let limit = Rlimit {
            current: Some(files),
            maximum: Some(files),
        };
        setrlimit(Resource::Nofile, limit).map(|()| files)
    };
    // Beyond the maximum only for those who may.
    let files = raised(most.max(wanted_files))
        .or_else(|_| raised(most))
        .unwrap_or(most);
    wanted.min(u32::try_from(files.saturating_sub(OTHER_FILES)).unwrap_or(wanted))
}

/// One connection.
pub fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, LIMIT)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    Ok(stream)
}

/// Open connections. They close when this is dropped.
pub struct Held(Vec<TcpStream>);

impl Held {
    /// Opens connections one after the other.
    pub fn open(address: SocketAddr, count: u32) -> Result<Self> {
        let open =
            |number| connect(address).with_context(|| format!("connection {number} of {count}"));
        (0..count).map(open).collect::<Result<_>>().map(Held)
    }

    /// Sends a message on each of the first so many connections, and waits for its echo.
    pub fn exchange(&mut self, count: usize, message: &[u8]) -> Result<()> {
        let mut reply = vec![0; message.len()];
        for stream in self.0.iter_mut().take(count) {
            stream.write_all(message)?;
            stream.read_exact(&mut reply)?;
            ensure!(reply == message, "the reply differs from the message");
        }
        Ok(())
    }

    /// How many are still open.
    pub fn still_open(&self) -> Result<u32> {
        let mut open = 0;
        for stream in &self.0 {
            stream.set_nonblocking(true)?;
            if stream
                .peek(&mut [0])
                .is_err_and(|it| it.kind() == ErrorKind::WouldBlock)
            {
                open += 1;
            }
            stream.set_nonblocking(false)?;
        }
        Ok(open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn what_the_server_closes_is_not_held() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut held = Held::open(listener.local_addr().unwrap(), 3).unwrap();
        let (mut first, _) = listener.accept().unwrap();
        let second = listener.accept().unwrap();
        first.write_all(b"echo").unwrap();
        held.exchange(1, b"echo").unwrap();
        assert_eq!(held.still_open().unwrap(), 3);
        drop(second);
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(held.still_open().unwrap(), 2);
    }
}
