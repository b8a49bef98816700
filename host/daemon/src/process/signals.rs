//! SIGINT and SIGTERM: the first asks to stop, the second insists. SIGHUP: the handler is read anew. All are caught from
//! the beginning, whatever the host is doing.

use crate::logs::output;
use rustix::process::{Signal, getpid, kill_process};
use std::future::pending;
use std::io::{self, IsTerminal};
use tokio::signal::unix::{self, SignalKind, signal};
use tokio_util::task::AbortOnDropHandle;

/// Catches the stop signals from now on. The returned future completes with the first; the second ends
/// the process at once, with the code a shell reports for a process that the signal killed.
pub fn stop() -> io::Result<impl Future<Output = ()>> {
    let mut signals = StopSignals::catch()?;
    Ok(async move {
        signals.next().await;
        tokio::spawn(async move {
            let signal = signals.next().await;
            tracing::warn!("stopped at once by a second signal");
            output::exit(128 + signal.as_raw_value());
        });
    })
}

/// Lets the first stop signal end the process at once, until this is dropped: there is nothing to finish yet. Must be
/// called within a tokio runtime, whose main thread may be busy meanwhile.
pub fn nothing_to_finish() -> io::Result<AbortOnDropHandle<()>> {
    let mut signals = StopSignals::catch()?;
    let stopping = tokio::spawn(async move {
        signals.next().await;
        tracing::info!("stopped before it served anybody");
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

/// SIGHUPs, caught from now on, unless whoever started the host wants them ignored, as nohup does.
pub struct Hangups {
    signals: Option<unix::Signal>,
    on_terminal: bool,
}

/// Whether SIGHUP is to be caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HangupsWanted {
    Yes,
    /// It was ignored when the process started.
    No,
}

/// Whether the process was not started with SIGHUP ignored, as far as the system tells. Asked before the sandbox is
/// closed.
pub fn hangups_wanted() -> HangupsWanted {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    match mask.is_some_and(|mask| mask & (1 << (Signal::HUP.as_raw() - 1)) != 0) {
        true => HangupsWanted::No,
        false => HangupsWanted::Yes,
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

    /// Waits for one; those that came since the last are one. One that comes because the host's terminal was closed
    /// does not count: the host stops, as for SIGTERM.
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
            // It can fail for processes of others only.
            let _ = kill_process(getpid(), Signal::TERM);
        }
    }
}
