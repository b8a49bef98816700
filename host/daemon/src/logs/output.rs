//! Standard error and standard output of a process that serves: neither is ever waited for.
//!
//! A full pipe or a stopped terminal blocks whoever writes to it, possibly for ever. Once [`queue`]
//! was called, lines for standard error go into a bounded queue that a thread of its own empties.
//! `tracing-appender` has such a writer, but it counts lines and not bytes, so that long lines have
//! no useful bound, and it starts its thread at once, which must not happen before the sandbox.

use connection::limits::{LOG_FLUSH_TIME, Limit, MAX_LOG_QUEUE_BYTES, STDOUT_TIME};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use std::io::{self, Write};
use std::mem;
use std::os::fd::AsFd;
use std::process;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use tokio::sync::oneshot;
use tokio::time::timeout;

static STDERR: Queue = Queue {
    state: Mutex::new(State {
        mode: Mode::Direct,
        waiting: Vec::new(),
        writing_bytes: 0,
        dropped: 0,
    }),
    changed: Condvar::new(),
};

struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    mode: Mode,
    waiting: Vec<u8>,
    /// Bytes that the thread has taken out and not written yet.
    writing_bytes: usize,
    /// Lines that were dropped since the log last said so.
    dropped: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Lines are written by the caller, who waits.
    Direct,
    /// Lines are queued until the thread is started.
    Queued,
    /// Lines are queued, and the thread writes them.
    Started,
}

/// Writes whole lines to standard error: directly, or to the queue after [`queue`] was called.
pub struct Stderr;

impl Write for Stderr {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        STDERR.push(lines)?;
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Queues lines for standard error from now on. [`start`] begins to write them.
pub fn queue() {
    let mut state = STDERR.state();
    if state.mode == Mode::Direct {
        state.mode = Mode::Queued;
    }
}

/// Starts the thread that writes queued lines.
pub fn start() {
    let mut state = STDERR.state();
    if state.mode != Mode::Queued {
        return;
    }
    let thread = thread::Builder::new().name("log".to_owned());
    // Without a thread there is no log, which is no reason not to serve.
    if thread.spawn(|| STDERR.run()).is_ok() {
        state.mode = Mode::Started;
    }
}

/// Waits until all queued lines were written, but no longer than [`LOG_FLUSH_TIME`].
pub fn flush() {
    start();
    let state = STDERR.state();
    if state.mode == Mode::Started {
        let is_busy = |state: &mut State| !state.waiting.is_empty() || state.writing_bytes > 0;
        // Whoever does not read within this time is not waited for.
        drop(
            STDERR
                .changed
                .wait_timeout_while(state, LOG_FLUSH_TIME, is_busy),
        );
    }
}

/// Ends the process at once, with what was logged before.
pub fn exit(code: i32) -> ! {
    flush();
    process::exit(code)
}

/// Prints to standard output. Fails if that fails within [`STDOUT_TIME`]; if nobody reads it until
/// then, the log says so and the text is left to a thread that waits.
pub async fn print(text: String) -> io::Result<()> {
    let (written, result) = oneshot::channel();
    let write = move || {
        let mut stdout = io::stdout().lock();
        let result = stdout.write_all(text.as_bytes());
        // Nobody may be waiting any more.
        let _ = written.send(result.and_then(|()| stdout.flush()));
    };
    thread::Builder::new()
        .name("stdout".to_owned())
        .spawn(write)?;
    match timeout(STDOUT_TIME, result).await {
        Ok(result) => result.unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into())),
        Err(_) => {
            tracing::warn!("nobody reads standard output: serving without waiting for it");
            Ok(())
        }
    }
}

impl Queue {
    /// The state is consistent between any two statements, so a panic does not spoil it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, lines: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        if state.mode == Mode::Direct {
            drop(state);
            return io::stderr().write_all(lines);
        }
        if state.waiting.len() + state.writing_bytes + lines.len() > MAX_LOG_QUEUE_BYTES {
            state.dropped += 1;
            Limit::LogDropped.reached();
            return Ok(());
        }
        state.waiting.extend_from_slice(lines);
        self.changed.notify_all();
        Ok(())
    }

    fn run(&self) {
        loop {
            let is_idle = |state: &mut State| state.waiting.is_empty();
            let waited = self.changed.wait_while(self.state(), is_idle);
            let mut state = waited.unwrap_or_else(PoisonError::into_inner);
            let batch = mem::take(&mut state.waiting);
            state.writing_bytes = batch.len();
            drop(state);
            write_waiting(&batch);
            let mut state = self.state();
            state.writing_bytes = 0;
            let dropped = mem::take(&mut state.dropped);
            drop(state);
            if dropped > 0 {
                say_dropped(dropped);
            }
            self.changed.notify_all();
        }
    }
}

/// Goes through the queue like any other line; there is room again.
fn say_dropped(lines: u64) {
    let what = "log lines were dropped: standard error was not read fast enough";
    if tracing::dispatcher::has_been_set() {
        tracing::warn!("{lines} {what}");
    } else {
        let _ = writeln!(Stderr, "echo-host: {lines} {what}");
    }
}

/// Writes all of it, however long that takes. What can't be written is counted as dropped. The
/// standard library's lock is not taken: others may hold it for as long as they wait.
fn write_waiting(mut lines: &[u8]) {
    let stderr = io::stderr();
    while !lines.is_empty() {
        match rustix::io::write(&stderr, lines) {
            Ok(written) => lines = &lines[written..],
            Err(Errno::INTR) => {}
            // Another process has made the file that it shares with us non-blocking.
            Err(Errno::AGAIN) => {
                let fd = stderr.as_fd();
                let _ = poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::OUT)], None);
            }
            Err(_) => {
                let lost = lines.iter().filter(|byte| **byte == b'\n').count();
                Limit::LogDropped.reached_times(lost as u64);
                return;
            }
        }
    }
}
