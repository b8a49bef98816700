//! The host's log, read as it comes: counted, searched for what must never be in it, and forgotten but for its end.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Lines that are kept.
const KEPT: usize = 50;
/// What of each is kept, in bytes.
const KEPT_BYTES: usize = 400;

const LEVELS: [&str; 5] = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"];

/// A log that is being read.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    lines: BTreeMap<&'static str, u64>,
    last: VecDeque<String>,
    stray: Option<String>,
}

impl Log {
    /// Reads all that comes out of a pipe, in a thread of its own, until it ends.
    pub fn of(pipe: impl Read + Send + 'static) -> Self {
        let log = Log::default();
        let reader = log.clone();
        thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            let mut line = Vec::new();
            while pipe.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                reader.note(String::from_utf8_lossy(&line).trim_end());
                line.clear();
            }
        });
        log
    }

    fn note(&self, line: &str) {
        let mut read = self.locked();
        match level(line) {
            Some(level) => *read.lines.entry(level).or_default() += 1,
            None => {
                read.stray.get_or_insert_with(|| line.to_owned());
            }
        }
        if read.last.len() == KEPT {
            read.last.pop_front();
        }
        let kept = line.floor_char_boundary(KEPT_BYTES);
        read.last.push_back(line[..kept].to_owned());
    }

    /// How many lines there were, by their level.
    pub fn lines(&self) -> BTreeMap<&'static str, u64> {
        self.locked().lines.clone()
    }

    /// How many lines there were.
    pub fn count(&self) -> u64 {
        self.locked().lines.values().sum()
    }

    /// The first line that is no log line: what a panic or an internal error says is none.
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

/// The level of a line that begins as log lines do: with the time and the level.
fn level(line: &str) -> Option<&'static str> {
    let (time, rest) = line.split_once(' ')?;
    let is_time = time.len() == 27 && time.ends_with('Z') && time.as_bytes()[10] == b'T';
    let word = rest.trim_start().split(' ').next()?;
    LEVELS.into_iter().find(|level| is_time && *level == word)
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
    fn only_the_end_is_kept() {
        let log = Log::default();
        for number in 0..1000 {
            log.note(&format!("{number} {}", "ä".repeat(KEPT_BYTES)));
        }
        let last = log.last();
        assert_eq!(last.len(), KEPT);
        assert!(last[0].starts_with("950 ") && last[0].len() <= KEPT_BYTES);
    }
}
