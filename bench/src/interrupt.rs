//! An interrupted benchmark leaves no process behind.

use crate::servers::end_all;
use anyhow::{Context, Result};
use std::thread;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// What a shell says of a program that ended on SIGINT.
const EXIT_CODE: i32 = 130;

/// Waits for SIGINT, SIGTERM and SIGHUP in a thread of its own, and ends all when one comes.
pub fn watch() -> Result<()> {
    let runtime = Builder::new_current_thread()
        .enable_io()
        .build()
        .context("cannot watch for signals")?;
    let mut signals = {
        let _guard = runtime.enter();
        [
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]
    };
    thread::spawn(move || {
        let [interrupt, terminate, hangup] = &mut signals;
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
        });
        eprintln!("echo-host-bench: interrupted");
        end_all(EXIT_CODE);
    });
    Ok(())
}
