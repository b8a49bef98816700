//! Throttles a connection by its rate limits: when it may be read, and when its next message may be
//! passed on.
//!
//! It takes its tokens at once and waits until they arrive, so that connections that share a bucket
//! take turns, and each wakes once for each turn.

use super::{Kind, RatedAddress, ServiceRates};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// How often a waiter checks whether the limits changed.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The rate limits of a connection.
#[derive(Debug)]
pub struct Throttle {
    service: Arc<ServiceRates>,
    address: Option<RatedAddress>,
    reading: Pause,
    message: Pause,
}

/// The current wait, if any. Boxed, because most connections never wait.
#[derive(Debug, Default)]
struct Pause(Option<Box<Wait>>);

#[derive(Debug)]
struct Wait {
    until: Instant,
    sleep: Pin<Box<Sleep>>,
    changes: (u64, u64),
}

impl Throttle {
    /// The throttle of a new connection of this service and client address, if it has one.
    pub fn new(service: Arc<ServiceRates>, mut address: Option<RatedAddress>) -> Self {
        let debt = address.as_mut().map(|it| it.debt(Kind::Bytes));
        let debt = debt.unwrap_or_default().max(service.debt(Kind::Bytes));
        let mut throttle = Throttle {
            service,
            address,
            reading: Pause::default(),
            message: Pause::default(),
        };
        throttle.reading.extend(debt, throttle.changes());
        throttle
    }

    /// Takes the token of a message. False if it must wait.
    pub fn take_message(&mut self) -> bool {
        let wait = self.reserve(Kind::Messages, 1);
        wait.is_zero() || !self.message.extend(wait, self.changes())
    }

    /// Charges for bytes that were read: the debt is paid before the next read.
    pub fn note_read(&mut self, bytes: usize) {
        let wait = self.reserve(Kind::Bytes, bytes as u64);
        if !wait.is_zero() {
            self.reading.extend(wait, self.changes());
        }
    }

    /// Whether reading waits.
    pub fn pauses_reading(&self) -> bool {
        self.reading.0.is_some()
    }

    /// Whether a message waits.
    pub fn pauses_message(&self) -> bool {
        self.message.0.is_some()
    }

    /// Ready when reading is allowed.
    #[inline]
    pub fn poll_reading(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let changes = self.changes();
        self.reading.poll(cx, changes)
    }

    /// Ready when the waiting message may be passed on.
    pub fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let changes = self.changes();
        self.message.poll(cx, changes)
    }

    fn reserve(&mut self, kind: Kind, tokens: u64) -> Duration {
        let service = self.service.reserve(kind, tokens);
        let address = self.address.as_mut().map(|it| it.reserve(kind, tokens));
        service.max(address.unwrap_or_default())
    }

    #[inline]
    fn changes(&self) -> (u64, u64) {
        let address = self.address.as_ref().map(RatedAddress::changes);
        (self.service.limits.changes(), address.unwrap_or_default())
    }
}

impl Pause {
    /// Extends the wait to at least this time. True if there is a wait.
    fn extend(&mut self, time: Duration, changes: (u64, u64)) -> bool {
        if !time.is_zero() {
            let now = Instant::now();
            let before = self.0.as_ref().map(|wait| wait.until);
            let until = before.unwrap_or(now).max(now + time);
            self.0 = Some(Box::new(Wait {
                until,
                sleep: Box::pin(sleep_until(until.min(now + LOOK_AGAIN))),
                changes,
            }));
        }
        self.0.is_some()
    }

    fn poll(&mut self, cx: &mut Context<'_>, changes: (u64, u64)) -> Poll<()> {
        while let Some(wait) = &mut self.0 {
            ready!(wait.sleep.as_mut().poll(cx));
            let now = Instant::now();
            if now >= wait.until || wait.changes != changes {
                self.0 = None;
            } else {
                wait.sleep.as_mut().reset(wait.until.min(now + LOOK_AGAIN));
            }
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests;
