//! What orders of sessions and of the host change.

use super::{Machine, Tls, Wire};
use crate::handle::{Lost, Notice, Orders, Sweep};
use crate::limits::{HIGH_WATER_BYTES, MAX_TIMERS};
use std::time::Instant;

impl<W: Wire> Machine<W> {
    /// Carries out orders that came by way of the handle.
    pub fn obey(&mut self, orders: &mut Orders, now: impl Fn() -> Instant) -> Result<(), Lost> {
        self.wire.take_output(orders)?;
        self.congested |= self.converses && self.wire.unsent_bytes() > HIGH_WATER_BYTES;
        if let Some(framing) = orders.framing.take() {
            self.wire.set_framing(framing);
        }
        if let Some(reads) = orders.reads.take() {
            self.paused = !reads;
        }
        if std::mem::take(&mut orders.starts_tls) {
            self.tls = Tls::Starting;
        }
        if let Some(limits) = orders.limits.take() {
            self.wire.set_max_message_bytes(limits.max_message_bytes);
        }
        match orders.notice.take() {
            Some(Notice::Stop) => self.stopping = true,
            Some(Notice::Move) => self.moving = true,
            None => {}
        }
        match std::mem::take(&mut orders.sweep) {
            Sweep::Moved => {}
            Sweep::Quiet => self.wire.ask(),
            Sweep::Idle => self.idle = true,
        }
        self.close = self.close.or(orders.close);
        for change in orders.timers.drain(..) {
            if !self.timers.change(change, now()) {
                return Err(Lost::TooManyTimers { limit: MAX_TIMERS });
            }
        }
        orders.lost.clone().map_or(Ok(()), Err)
    }
}
