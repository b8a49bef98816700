//! Standard error and standard output of a serving process, which never waits for either.
//!
//! A full pipe or a stopped terminal blocks writers, possibly for ever. After [`queue`], lines for
//! standard error go into a bounded queue that a separate thread empties. `tracing-appender` has
//! such a writer, but it limits lines instead of bytes, so long lines are unbounded, and it starts
//! its thread at once, which must not happen before the sandbox.

use connection::limits::{LOG_FLUSH_TIME, Limit, MAX_LOG_QUEUE_BYTES, STDOUT_TIME};
use parking_lot::{Condvar, Mutex, MutexGuard};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use std::io::{self, Write};
use std::mem;
use std::os::fd::AsFd;
use std::process;
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
    /// Bytes that the thread is writing.
    writing_bytes: usize,
    /// Dropped lines that were not reported yet.
    dropped: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// The caller writes and waits.
    Direct,
    /// Lines are queued until the thread is started.
    Queued,
    /// Lines are queued, and the thread writes them.
    Started,
}

/// Writes whole lines to standard error: directly, or after [`queue`] to the queue.
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

/// Queues lines for standard error from now on, until [`start`] writes them.
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
    // Without the thread there is no log, but the host can serve.
    if thread.spawn(|| STDERR.run()).is_ok() {
        state.mode = Mode::Started;
    }
}

/// Waits until all queued lines are written, at most [`LOG_FLUSH_TIME`].
pub fn flush() {
    start();
    let mut state = STDERR.state();
    if state.mode == Mode::Started {
        let is_busy = |state: &mut State| !state.waiting.is_empty() || state.writing_bytes > 0;
        // After this time, a slow reader is not waited for.
        STDERR
            .changed
            .wait_while_for(&mut state, is_busy, LOG_FLUSH_TIME);
    }
}

/// Flushes the log and exits.
pub fn exit(code: i32) -> ! {
    flush();
    process::exit(code)
}

/// Prints to standard output. Fails if writing fails within [`STDOUT_TIME`]; if it takes longer,
/// logs that and leaves the text to a waiting thread.
pub async fn print(text: String) -> io::Result<()> {
    let (written, result) = oneshot::channel();
    let write = move || {
        let mut stdout = io::stdout().lock();
        let result = stdout.write_all(text.as_bytes());
        // The caller may have stopped waiting.
        let _ = written.send(result.and_then(|()| stdout.flush()));
    };
    thread::Builder::new()
        .name("stdout".to_owned())
        .spawn(write)?;
    match timeout(STDOUT_TIME, result).await {
        Ok(result) => result.unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into())),
        Err(_) => {
            tracing::warn!("standard output is not being read: serving without it");
            Ok(())
        }
    }
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
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
            let mut state = self.state();
            self.changed.wait_while(&mut state, is_idle);
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

/// Goes through the queue, which has room again.
fn say_dropped(lines: u64) {
    let what = "log lines were dropped: standard error is read too slowly";
    if tracing::dispatcher::has_been_set() {
        tracing::warn!("{lines} {what}");
    } else {
        let _ = writeln!(Stderr, "echo-host: {lines} {what}");
    }
}

/// Writes everything, however long it takes. Lines that cannot be written count as dropped. Does
/// not take the standard library's lock, which others may hold while they wait.
fn write_waiting(mut lines: &[u8]) {
    let stderr = io::stderr();
    while !lines.is_empty() {
        match rustix::io::write(&stderr, lines) {
            Ok(written) => lines = &lines[written..],
            Err(Errno::INTR) => {}
            // Another process made the shared file non-blocking.
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
