//! Prints a report again each second, in place if it goes to a terminal.

use anyhow::Context;
use rustix::termios::tcgetwinsize;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

const INTERVAL: Duration = Duration::from_secs(1);

/// Prints until SIGINT or SIGTERM.
pub fn run(report: impl Fn() -> anyhow::Result<String>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_first = true;
        loop {
            tokio::select! {
                _ = interrupt.recv() => return Ok(()),
                _ = terminate.recv() => return Ok(()),
                _ = ticks.tick() => {}
            }
            let text = report()?;
            let mut stdout = io::stdout().lock();
            let text = match tcgetwinsize(&stdout) {
                Ok(size) if stdout.is_terminal() => {
                    in_place(&text, size.ws_row.into(), size.ws_col.into(), is_first)
                }
                _ => text,
            };
            is_first = false;
            let printed = stdout.write_all(text.as_bytes());
            let printed = printed.and_then(|()| stdout.flush());
            match printed {
                // The reader has what it wanted.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
                printed => printed.context("cannot print the status")?,
            }
        }
    })
}

/// Overwrites the text before, line by line, so that nothing flickers. Lines are cut at the width
/// of the screen, and lines below it are left out.
fn in_place(text: &str, rows: usize, columns: usize, is_first: bool) -> String {
    let mut screen = if is_first { "\x1b[2J" } else { "" }.to_owned();
    screen += "\x1b[H";
    for line in text.lines().take(rows.max(2) - 1) {
        let line: String = line.chars().take(columns.max(1)).collect();
        // The rest of the line is erased before: the last column would be erased after it.
        let _ = writeln!(screen, "\x1b[2K{line}");
    }
    screen + "\x1b[J"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_is_overwritten_line_by_line() {
        let text = "one line\ntwo\nthree\n";
        assert_eq!(
            in_place(text, 3, 5, false),
            "\x1b[H\x1b[2Kone l\n\x1b[2Ktwo\n\x1b[J"
        );
        assert!(in_place(text, 3, 5, true).starts_with("\x1b[2J\x1b[H"));
    }
}
