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

/// Says what has to wait for the rate limits.
pub trait Gate {
    /// Takes the token of a message. False if it must wait.
    fn take_message(&mut self) -> bool;

    /// Whether a message still waits for its token.
    fn pauses_message(&self) -> bool;

    /// Whether reading waits.
    fn pauses_reading(&self) -> bool;
}

/// The rate limits of a connection. By default, it has none.
#[derive(Debug, Default)]
pub struct Throttle {
    service: Option<Arc<ServiceRates>>,
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
            service: Some(service),
            address,
            reading: Pause::default(),
            message: Pause::default(),
        };
        throttle.reading.extend(debt, throttle.changes());
        throttle
    }

    /// Charges for bytes that were read: the debt is paid before the next read.
    pub fn note_read(&mut self, bytes: usize) {
        if bytes == 0 || self.is_off() {
            return;
        }
        let wait = self.reserve(Kind::Bytes, bytes as u64);
        if !wait.is_zero() {
            self.reading.extend(wait, self.changes());
        }
    }

    /// Ready when reading is allowed.
    #[inline]
    pub fn poll_reading(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.reading.0.is_none() {
            return Poll::Ready(());
        }
        let changes = self.changes();
        self.reading.poll(cx, changes)
    }

    /// Ready when the waiting message may be passed on.
    pub fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let changes = self.changes();
        self.message.poll(cx, changes)
    }

    /// Whether nothing is limited.
    #[inline]
    fn is_off(&self) -> bool {
        let address_is_off = self.address.as_ref().is_none_or(RatedAddress::is_off);
        address_is_off && self.service.as_ref().is_none_or(|it| it.are_off())
    }

    fn reserve(&mut self, kind: Kind, tokens: u64) -> Duration {
        let service = self.service.as_ref();
        let service = service.map_or(Duration::ZERO, |it| it.reserve(kind, tokens));
        let address = self.address.as_mut().map(|it| it.reserve(kind, tokens));
        service.max(address.unwrap_or_default())
    }

    #[inline]
    fn changes(&self) -> (u64, u64) {
        let address = self.address.as_ref().map(RatedAddress::changes);
        let service = self.service.as_ref().map(|it| it.limits.changes());
        (service.unwrap_or_default(), address.unwrap_or_default())
    }
}

impl Gate for Throttle {
    #[inline]
    fn take_message(&mut self) -> bool {
        if self.is_off() && self.message.0.is_none() {
            return true;
        }
        let wait = self.reserve(Kind::Messages, 1);
        wait.is_zero() || !self.message.extend(wait, self.changes())
    }

    fn pauses_message(&self) -> bool {
        self.message.0.is_some()
    }

    fn pauses_reading(&self) -> bool {
        self.reading.0.is_some()
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
