//! A host that serves a handler.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

/// Time limit for a reply.
const REPLY: Duration = Duration::from_secs(5);

/// A process that is killed on drop.
pub struct Host {
    process: Child,
    pub address: SocketAddr,
}

impl Host {
    /// Starts `echo-host serve` or `dev` with stderr in a file, and waits until it serves.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self> {
        command.args(["--listen", "tcp://127.0.0.1:0", "--no-control"]);
        let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let command = command.stdout(Stdio::piped()).stderr(file);
        let process = command.spawn().context("cannot start the host")?;
        let mut host = Host {
            process,
            address: ([127, 0, 0, 1], 0).into(),
        };
        let stdout = host.process.stdout.take().context("its output is a pipe")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on tcp://");
        let address = address.and_then(|address| address.parse().ok());
        host.address =
            address.with_context(|| format!("the host does not serve: see {}", log.display()))?;
        Ok(host)
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Whether a client that connects and sends `ping` gets this reply.
    pub fn answers(&self, expected: &str) -> bool {
        let ask = || {
            let mut client = TcpStream::connect(self.address)?;
            client.set_read_timeout(Some(REPLY))?;
            client.write_all(b"ping\n")?;
            let mut answer = vec![0; expected.len()];
            client.read_exact(&mut answer)?;
            io::Result::Ok(answer)
        };
        ask().is_ok_and(|answer| answer == expected.as_bytes())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
