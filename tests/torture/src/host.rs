//! The host's process.

use crate::files;
use crate::log::Log;
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The host's limit of descriptors: fewer than it needs for all clients at once.
const DESCRIPTORS: u32 = 330;
/// Interval between two checks whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// A running host. Killed on drop, and when this process ends.
pub struct Host {
    child: Child,
    pub log: Log,
}

impl Host {
    /// Serves the configuration of a directory, and waits until it listens.
    pub fn start(program: &Path, folder: &Path) -> Result<Self> {
        let program = program
            .canonicalize()
            .with_context(|| format!("there is no {}", program.display()))?;
        // Both are part of util-linux, which every distribution has.
        let mut command = Command::new("prlimit");
        command.arg(format!("--nofile={DESCRIPTORS}:{DESCRIPTORS}"));
        command.args(["setpriv", "--pdeathsig", "KILL"]);
        command
            .arg(program)
            .args(["serve", "--config", "echo-host.toml"])
            // Clients of the control socket name files by path.
            .args(["--sandbox-read", "."])
            .current_dir(folder);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start prlimit")?;
        let (output, errors) = (child.stdout.take(), child.stderr.take());
        let log = Log::of(errors.context("the host has no log")?);
        let mut output = BufReader::new(output.context("the host has no output")?);
        let host = Host { child, log };
        let mut line = String::new();
        for _ in 0..files::listeners() {
            line.clear();
            output.read_line(&mut line)?;
            if !line.starts_with("listening on ") {
                bail!(
                    "the host says {line:?} and:\n{}",
                    host.log.last().join("\n")
                );
            }
        }
        // Its output must never be without a reader.
        thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        Ok(host)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop, and waits until it has; fails if that takes too long.
    pub fn stop(&mut self, limit: Duration) -> Result<ExitStatus> {
        signal(self.pid(), Signal::TERM)?;
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!("SIGTERM did not end the host within {limit:?}");
            }
            thread::sleep(LOOK);
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a process a signal.
pub fn signal(pid: u32, signal: Signal) -> Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid = pid.context("no number of a process")?;
    kill_process(pid, signal).context("the host cannot be signalled")
}
