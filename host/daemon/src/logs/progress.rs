//! Tells that something takes long: on a terminal with a line that moves and goes away, elsewhere
//! with one line of the log.

use super::output::Stderr;
use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What takes less is not told.
const PATIENCE: Duration = Duration::from_millis(500);
const FRAME_TIME: Duration = Duration::from_millis(100);
const FRAMES: [char; 4] = ['|', '/', '-', '\\'];
/// Longer lines would wrap, and then not go away.
const MAX_CHARS: usize = 70;

/// Something that is being done, until it is dropped.
pub struct Progress {
    done: Option<Sender<()>>,
    telling: Option<JoinHandle<()>>,
}

impl Progress {
    /// Does `what`, such as `compiling hello.wasm`. It must be printable.
    pub fn of(what: String) -> Self {
        let (done, is_done) = channel();
        let span = tracing::Span::current();
        let tell = move || {
            let waits = |time| is_done.recv_timeout(time) == Err(RecvTimeoutError::Timeout);
            if !waits(PATIENCE) {
                return;
            }
            if !io::stderr().is_terminal() {
                return span.in_scope(|| tracing::info!("{what} takes a while"));
            }
            let what: String = what.chars().take(MAX_CHARS).collect();
            for frame in FRAMES.iter().cycle() {
                // There is nobody to tell.
                let _ = Stderr.write_all(format!("\r{frame} {what} ").as_bytes());
                if !waits(FRAME_TIME) {
                    break;
                }
            }
            let _ = Stderr.write_all(b"\r\x1b[K");
        };
        Progress {
            done: Some(done),
            // Without the thread, nothing is told.
            telling: thread::Builder::new()
                .name("progress".into())
                .spawn(tell)
                .ok(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.done.take());
        // The line goes away before anything else is printed.
        if let Some(telling) = self.telling.take() {
            let _ = telling.join();
        }
    }
}
