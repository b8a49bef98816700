//! Child processes that end with this one.

use crate::place;
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::process::{self, Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// The process groups that run now, killed when the benchmark is interrupted.
static RUNNING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

fn running() -> MutexGuard<'static, Vec<Pid>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends every process that was started here, and this one.
pub fn end_all(exit_code: i32) -> ! {
    // Locked to the end, so that none is started meanwhile.
    let running = running();
    for group in running.iter() {
        let _ = kill_process_group(*group, Signal::KILL);
    }
    process::exit(exit_code)
}

/// A process in a group of its own. Dropping it kills the whole group: some servers have a child
/// for each connection.
pub struct Process {
    name: String,
    child: Child,
    group: Pid,
    lines: Receiver<String>,
}

impl Process {
    /// Starts a command. Its stderr is appended to the log of this name.
    pub fn start(mut command: Command, log: &str) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let log = File::options()
            .create(true)
            .append(true)
            .open(place::log(log))?;
        command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log);
        // Locked over both, so that no interruption comes between them.
        let mut running = running();
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let group = Pid::from_child(&child);
        running.push(group);
        drop(running);
        let stdout = child.stdout.take().context("its output is a pipe")?;
        let (sender, lines) = channel();
        thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
            lines.try_for_each(|line| sender.send(line))
        });
        Ok(Process {
            name,
            child,
            group,
            lines,
        })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The next line it prints.
    pub fn line(&self, limit: Duration) -> Result<String> {
        match self.lines.recv_timeout(limit) {
            Ok(line) => Ok(line),
            Err(RecvTimeoutError::Timeout) => {
                bail!("{} printed nothing within {limit:?}", self.name)
            }
            Err(RecvTimeoutError::Disconnected) => bail!("{} has ended", self.name),
        }
    }

    /// The address it listens on, which the host and the native servers print first.
    pub fn address(&self, limit: Duration) -> Result<SocketAddr> {
        let line = self.line(limit)?;
        let address = line.strip_prefix("listening on tcp://");
        let address = address.with_context(|| format!("{} printed {line}", self.name))?;
        Ok(address.parse()?)
    }

    /// The resident memory of the process, without its children.
    pub fn resident_bytes(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        resident(&status).context("the kernel does not report VmRSS")
    }
}

fn resident(status: &str) -> Option<f64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024.0)
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = kill_process_group(self.group, Signal::KILL);
        let _ = self.child.wait();
        running().retain(|group| *group != self.group);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    const LIMIT: Duration = Duration::from_secs(60);

    fn start(command: Command) -> Process {
        fs::create_dir_all(place::work().join("logs")).unwrap();
        Process::start(command, "test").unwrap()
    }

    #[test]
    fn children_end_with_it() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & echo $!; wait"]);
        let mut process = start(command);
        let child = process.line(LIMIT).unwrap();
        assert!(process.lives() && process.resident_bytes().unwrap() > 4096.0);
        drop(process);
        let begun = Instant::now();
        // It may be a zombie for as long as nobody has waited for it.
        let state = || fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        while !state().is_empty() && !state().contains(") Z ") {
            assert!(begun.elapsed() < LIMIT, "it goes on: {}", state());
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn what_ends_is_not_waited_for() {
        let error = start(Command::new("false")).line(LIMIT).unwrap_err();
        assert_eq!(error.to_string(), "false has ended");
    }

    #[test]
    fn resident_memory_is_read() {
        assert_eq!(resident("Name:\tx\nVmRSS:\t  3 kB\n"), Some(3072.0));
        assert_eq!(resident("Name:\tx\n"), None);
    }
}
