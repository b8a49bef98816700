//! Notifies systemd, if it started the host: sd_notify(3).

use sd_notify::{NotifyState, notify, watchdog_enabled};
use server::workers::Workers;
use std::future::pending;
use tokio::time::{MissedTickBehavior, interval};

/// Watchdog notifications per timeout of systemd.
const SIGNS_OF_LIFE: u32 = 3;

/// The host serves.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The host is reloading. [`ready`] follows.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::debug!("cannot tell systemd about the reload: {error}"),
    }
}

/// The host accepts no more, and drains.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Sends watchdog notifications, if systemd expects them. Runs until dropped: if this thread or a
/// worker is stuck, the notifications stop.
pub async fn live(workers: &Workers) {
    let Some(limit) = watchdog_enabled() else {
        return pending().await;
    };
    let mut beat = interval(limit / SIGNS_OF_LIFE);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        workers.answer().await;
        tell(&[NotifyState::Watchdog]);
    }
}

/// Does nothing without systemd.
fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = notify(state) {
        tracing::debug!("cannot tell systemd: {error}");
    }
}
