//! SIGINT and SIGTERM: the first asks to stop, the second insists. SIGHUP: the handler is read anew.

use rustix::process::{Signal, getpid, kill_process};
use std::io::{self, IsTerminal};
use tokio::signal::unix::{SignalKind, signal};

/// Catches the stop signals from now on. The returned future completes with the first; the second ends
/// the process at once, with the code a shell reports for a process that the signal killed.
pub fn stop() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut next = async move || {
        tokio::select! {
            _ = interrupt.recv() => SignalKind::interrupt(),
            _ = terminate.recv() => SignalKind::terminate(),
        }
    };
    Ok(async move {
        next().await;
        tokio::spawn(async move {
            let signal = next().await;
            tracing::warn!("stopped at once by a second signal");
            std::process::exit(128 + signal.as_raw_value());
        });
    })
}

/// Calls `each` whenever a SIGHUP comes; those that come meanwhile are one. If it comes because the host's
/// terminal was closed, the host stops as for SIGTERM. Catches it from now on, and runs until it is dropped.
pub fn on_hangup(mut each: impl AsyncFnMut()) -> io::Result<impl Future<Output = ()>> {
    let mut hangup = signal(SignalKind::hangup())?;
    let on_terminal = io::stderr().is_terminal();
    Ok(async move {
        while hangup.recv().await.is_some() {
            if on_terminal && !io::stderr().is_terminal() {
                // It can fail for processes of others only.
                let _ = kill_process(getpid(), Signal::TERM);
            } else {
                each().await;
            }
        }
    })
}
