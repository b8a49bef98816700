//! How many log lines a client or a guest may cause in a second, or another time.

use parking_lot::{Mutex, MutexGuard};
use std::mem;
use std::time::Duration;
use tokio::time::Instant;

/// Admits a number of lines in each of these times, and counts those it did not admit.
#[derive(Debug, Default)]
pub struct LogRateLimiter<const LINES: u32, const SECONDS: u64 = 1>(Mutex<Window>);

/// The time that is running.
#[derive(Debug, Default)]
struct Window {
    /// When it began, unless no line has come yet.
    since: Option<Instant>,
    admitted: u32,
    /// Lines that were not admitted, and that nobody was told of yet.
    suppressed: u64,
}

impl<const LINES: u32, const SECONDS: u64> LogRateLimiter<LINES, SECONDS> {
    /// Admits the first line.
    pub const fn new() -> Self {
        LogRateLimiter(Mutex::new(Window {
            since: None,
            admitted: 0,
            suppressed: 0,
        }))
    }

    /// Admits a line, and returns how many were suppressed since the last one. The error is the
    /// number suppressed so far, including this one.
    pub fn admit(&self) -> Result<u64, u64> {
        let mut window = self.lock();
        let is_over = |since: Instant| since.elapsed() >= Duration::from_secs(SECONDS);
        if window.since.is_none_or(is_over) {
            window.since = Some(Instant::now());
            window.admitted = 0;
        }
        if window.admitted == LINES {
            window.suppressed += 1;
            return Err(window.suppressed);
        }
        window.admitted += 1;
        Ok(mem::take(&mut window.suppressed))
    }

    /// Number of suppressed lines that [`admit`](Self::admit) has not reported. They count as
    /// reported now.
    pub fn take_suppressed(&self) -> u64 {
        mem::take(&mut self.lock().suppressed)
    }

    fn lock(&self) -> MutexGuard<'_, Window> {
        self.0.lock()
    }
}

#[cfg(test)]
mod tests;
