//! Reads the host's log unless paused: counts lines, searches for forbidden text, and keeps only
//! the last lines.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Number of lines kept.
const KEPT: usize = 300;
/// Length of a kept line, in bytes.
const KEPT_BYTES: usize = 400;

/// The target in lines of guests and clients that imitate the host's log.
pub const FORGED: &str =
    "\r\n2026-11-23T05:34:49.534678Z ERROR forged: all is lost\x1b[2J\u{202e}\u{9b}1m";
/// Interval between two pauses.
const READ: Duration = Duration::from_secs(40);
/// Interval between two checks whether the pause is over.
const LOOK: Duration = Duration::from_millis(50);
/// Time limit for reading what was written.
const CATCH_UP: Duration = Duration::from_secs(1);

const LEVELS: [&str; 5] = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"];

/// A log that is being read.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    lines: BTreeMap<&'static str, u64>,
    last: VecDeque<String>,
    stray: Option<String>,
    /// The end of the pause.
    unread_until: Option<Instant>,
}

impl Log {
    /// Reads everything from a pipe, in a thread of its own, until it ends.
    pub fn of(pipe: impl Read + Send + 'static) -> Self {
        let log = Log::default();
        let reader = log.clone();
        thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            let mut line = Vec::new();
            reader.wait();
            while pipe.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                reader.note(String::from_utf8_lossy(&line).trim_end_matches('\n'));
                line.clear();
                reader.wait();
            }
        });
        log
    }

    /// Pauses reading for this time; returns false if the last pause was a short time ago.
    pub fn leave_unread(&self, time: Duration) -> bool {
        let (mut state, now) = (self.locked(), Instant::now());
        if state.unread_until.is_some_and(|until| now < until + READ) {
            return false;
        }
        state.unread_until = Some(now + time);
        true
    }

    /// Resumes reading, and waits for everything written so far.
    pub fn catch_up(&self) {
        self.locked().unread_until = None;
        thread::sleep(CATCH_UP);
    }

    fn wait(&self) {
        let is_unread = || {
            self.locked()
                .unread_until
                .is_some_and(|until| Instant::now() < until)
        };
        while is_unread() {
            thread::sleep(LOOK);
        }
    }

    fn note(&self, line: &str) {
        let mut read = self.locked();
        match level(line) {
            Some(level) if !is_forged(line) => *read.lines.entry(level).or_default() += 1,
            _ => {
                read.stray.get_or_insert_with(|| line.to_owned());
            }
        }
        if read.last.len() == KEPT {
            read.last.pop_front();
        }
        let kept = line.floor_char_boundary(KEPT_BYTES);
        read.last.push_back(line[..kept].to_owned());
    }

    /// Number of lines, by level.
    pub fn lines(&self) -> BTreeMap<&'static str, u64> {
        self.locked().lines.clone()
    }

    /// Number of lines.
    pub fn count(&self) -> u64 {
        self.locked().lines.values().sum()
    }

    /// The first line that is not a log line, such as a panic or an internal error.
    pub fn stray(&self) -> Option<String> {
        self.locked().stray.clone()
    }

    /// Its last lines.
    pub fn last(&self) -> Vec<String> {
        self.locked().last.iter().cloned().collect()
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The level of a line that starts with a time and a level.
fn level(line: &str) -> Option<&'static str> {
    let (time, rest) = line.split_once(' ')?;
    let is_time = time.len() == 27 && time.ends_with('Z') && time.as_bytes()[10] == b'T';
    let word = rest.trim_start().split(' ').next()?;
    LEVELS.into_iter().find(|level| is_time && *level == word)
}

/// Whether the line, or a part of it, does not come from the host, or would control a terminal.
fn is_forged(line: &str) -> bool {
    let acts = |char: char| {
        char.is_control()
            || matches!(char, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut words = line.split_whitespace().skip(2);
    words.next() == Some("forged:") || line.chars().any(acts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_by_level() {
        let log = Log::default();
        for line in [
            "2026-11-23T05:34:49.534678Z  INFO echo_host::cli::host: serving echo.wasm",
            "2026-11-23T05:34:50.534678Z  WARN guest: thread 'main' panicked at src/lib.rs",
            "2026-11-23T05:34:51.534678Z  INFO guest: hello",
        ] {
            log.note(line);
        }
        assert_eq!(log.lines(), BTreeMap::from([("INFO", 2), ("WARN", 1)]));
        assert_eq!(log.stray(), None);
    }

    #[test]
    fn what_is_no_log_line_is_noticed() {
        for stray in [
            "echo-host: internal error at host/src/lib.rs:1: oh no",
            "thread 'tokio-rt-worker' panicked at host/src/lib.rs:1:1:",
            "memory allocation of 1073741824 bytes failed",
            "",
        ] {
            let log = Log::default();
            log.note(stray);
            assert_eq!(log.stray().as_deref(), Some(stray));
        }
    }

    #[test]
    fn what_is_forged_is_noticed() {
        let inner = "2026-11-23T05:34:49.534678Z ERROR forged: all is lost";
        let own = "2026-11-23T05:34:49.534678Z  INFO server::service: served";
        let log = Log::default();
        log.note(&format!("2026-11-23T05:34:49.534678Z  WARN guest: {inner}"));
        log.note(&format!("{own} why=\"\\r\\n{inner}\""));
        assert_eq!(log.stray(), None);
        for forged in [
            inner.to_owned(),
            format!("{own}\r"),
            format!("{own}\x1b[2J"),
            format!("{own}\u{202e}"),
            format!("{own}\u{9b}1m"),
        ] {
            let log = Log::default();
            log.note(&forged);
            assert_eq!(log.stray(), Some(forged));
        }
    }

    #[test]
    fn a_log_is_left_unread_now_and_then() {
        let log = Log::default();
        assert!(log.leave_unread(Duration::from_secs(1)));
        assert!(!log.leave_unread(Duration::from_secs(1)));
    }

    #[test]
    fn only_the_end_is_kept() {
        let log = Log::default();
        for number in 0..1000 {
            log.note(&format!("{number} {}", "ä".repeat(KEPT_BYTES)));
        }
        let last = log.last();
        assert_eq!(last.len(), KEPT);
        assert!(last[0].starts_with("700 ") && last[0].len() <= KEPT_BYTES);
    }
}
