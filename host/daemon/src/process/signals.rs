//! Signals. SIGINT and SIGTERM: the first stops gracefully, the second at once. SIGHUP reloads. All
//! are caught from the start of the process.

use crate::logs::output;
use rustix::process::{Signal, getpid, kill_process};
use std::future::pending;
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};
use tokio::signal::unix::{self, SignalKind, signal};
use tokio_util::task::AbortOnDropHandle;

/// A second SIGTERM within this time is the same one.
const SAME_SIGNAL_TIME: Duration = Duration::from_secs(1);

/// Catches the stop signals from now on. The returned future completes with the first; the second
/// ends the process at once, with the exit code of a process killed by that signal. SIGTERM again
/// within a second is not a second one.
pub fn stop() -> io::Result<impl Future<Output = ()>> {
    let mut signals = StopSignals::catch()?;
    Ok(async move {
        let first = signals.next().await;
        let begun = Instant::now();
        tokio::spawn(async move {
            let signal = loop {
                let signal = signals.next().await;
                // `timeout` and some service managers signal a process, and then its group.
                let is_same = signal == first && signal == SignalKind::terminate();
                if !is_same || begun.elapsed() >= SAME_SIGNAL_TIME {
                    break signal;
                }
            };
            tracing::warn!("stopped at once: second signal");
            output::exit(128 + signal.as_raw_value());
        });
    })
}

/// Until dropped, the first stop signal ends the process at once, because there is nothing to drain
/// yet. Must be called in a tokio runtime; its main thread may be busy.
pub fn nothing_to_finish() -> io::Result<AbortOnDropHandle<()>> {
    let mut signals = StopSignals::catch()?;
    let stopping = tokio::spawn(async move {
        signals.next().await;
        tracing::info!("stopped before serving");
        output::exit(0);
    });
    Ok(AbortOnDropHandle::new(stopping))
}

struct StopSignals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
}

impl StopSignals {
    fn catch() -> io::Result<Self> {
        Ok(StopSignals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> SignalKind {
        tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.terminate.recv() => SignalKind::terminate(),
        }
    }
}

/// Catches SIGHUP from now on, unless the parent ignored it, as nohup does.
pub struct Hangups {
    signals: Option<unix::Signal>,
    on_terminal: bool,
}

/// Whether to catch SIGHUP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HangupsWanted {
    Yes,
    /// The parent ignored it.
    No,
}

/// Whether SIGHUP was not ignored at the start, if the system can tell. Called before the sandbox
/// closes.
pub fn hangups_wanted() -> HangupsWanted {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    if mask.is_some_and(|mask| mask & (1 << (Signal::HUP.as_raw() - 1)) != 0) {
        HangupsWanted::No
    } else {
        HangupsWanted::Yes
    }
}

impl Hangups {
    pub fn catch(wanted: HangupsWanted) -> io::Result<Self> {
        let signals = match wanted {
            HangupsWanted::No => None,
            HangupsWanted::Yes => Some(signal(SignalKind::hangup())?),
        };
        Ok(Hangups {
            signals,
            on_terminal: io::stderr().is_terminal(),
        })
    }

    /// Waits for SIGHUP; several count as one. One from a closed terminal stops the host like
    /// SIGTERM.
    pub async fn next(&mut self) {
        let Some(signals) = &mut self.signals else {
            return pending().await;
        };
        loop {
            if signals.recv().await.is_none() {
                return pending().await;
            }
            if !self.on_terminal || io::stderr().is_terminal() {
                return;
            }
            // This cannot fail for our own process.
            let _ = kill_process(getpid(), Signal::TERM);
        }
    }
}
