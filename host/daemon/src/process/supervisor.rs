//! What systemd is told, if it started the host: sd_notify(3).

use sd_notify::{NotifyState, notify, watchdog_enabled};
use std::future::pending;
use tokio::time::{MissedTickBehavior, interval};

/// How many times the host says that it lives before systemd would take it for dead.
const SIGNS_OF_LIFE: u32 = 3;

/// The host serves.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The host reads its handlers, certificates and settings anew. [`ready`] follows.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::debug!("systemd is not told of the reload: {error}"),
    }
}

/// The host accepts no more, and drains.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Says again and again that the host lives, if systemd watches. Runs until it is dropped, in the runtime that
/// serves: if that is stuck, this is silent.
pub async fn live() {
    let Some(limit) = watchdog_enabled() else {
        return pending().await;
    };
    let mut beat = interval(limit / SIGNS_OF_LIFE);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        tell(&[NotifyState::Watchdog]);
    }
}

/// Without systemd nobody is told, and nothing is wrong with that.
fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = notify(state) {
        tracing::debug!("cannot tell systemd: {error}");
    }
}
