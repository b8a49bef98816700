//! Child processes that end with this one.

use crate::work;
use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process_group};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{self, Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

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
    pub fn start(command: &mut Command, log: &str) -> Result<Self> {
        let log = work().join(format!("logs/{log}.log"));
        let log = File::options().create(true).append(true).open(log)?;
        command.process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let name = command.get_program().to_string_lossy().into_owned();
        // Locked over both, so that no interruption comes between them.
        let mut running = running();
        let child = command.stderr(log).spawn();
        let mut child = child.with_context(|| format!("cannot start {name}"))?;
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

    /// Waits until it has ended.
    pub fn end(mut self, limit: Duration) -> Result<()> {
        let begun = Instant::now();
        while self.lives() {
            ensure!(begun.elapsed() < limit, "{} does not end", self.name);
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    pub fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// What it reads, open until it is dropped.
    pub fn input(&mut self) -> Result<&mut ChildStdin> {
        self.child.stdin.as_mut().context("its input is a pipe")
    }

    /// The next line it prints.
    pub fn line(&self, limit: Duration) -> Result<String> {
        let line = self.lines.recv_timeout(limit);
        line.with_context(|| {
            format!(
                "{} has ended, or printed nothing within {limit:?}",
                self.name
            )
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = kill_process_group(self.group, Signal::KILL);
        let _ = self.child.wait();
        running().retain(|group| *group != self.group);
    }
}
