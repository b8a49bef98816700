//! The simulated session: checks what it is told, and orders at random.

use super::world::World;
use super::{Simulation, Tls};
use crate::handle::{CloseMode, TimerChange};
use crate::handler::Event;
use crate::limits::HIGH_WATER_BYTES;
use crate::task::machine::InputState;
use bytes::Bytes;
use std::time::Duration;

impl<W: World> Simulation<W> {
    /// The session is called.
    pub(super) fn call(&mut self, event: Event) {
        assert!(!self.shutdown, "{event:?} after the last event");
        assert_eq!(self.opened, !matches!(event, Event::Open(_)), "{event:?}");
        let mut reply = None;
        if matches!(event, Event::Message(_) | Event::Eof) {
            let is_last = self.machine.wire.input_state() == InputState::Closed;
            assert!(!self.is_paused || is_last, "{event:?} while it has paused");
            assert!(!matches!(self.tls, Tls::Asked | Tls::Established));
        }
        match event {
            Event::Open(_) => self.opened = true,
            Event::Message(message) => {
                assert!(!self.eof, "a message after the end of input");
                assert_eq!(Some(&message), self.expected.pop_front().as_ref());
                assert!(!self.machine.wire.is_full() && !self.is_above_mark);
                reply = self.answer(message);
            }
            Event::Eof => {
                assert!(!self.eof && self.expected.is_empty());
                self.eof = true;
            }
            Event::Writable => {
                assert!(std::mem::take(&mut self.is_above_mark));
                assert!(self.sent.len() - self.left <= HIGH_WATER_BYTES / 2);
            }
            Event::Timer(id) => {
                let due = self.timers.remove(&id).expect("a timer that was set");
                assert!(due <= self.now, "a timer expired early");
            }
            Event::Secured => {
                assert_eq!(self.tls, Tls::Established);
                self.tls = Tls::Told;
            }
            Event::Move => self.moves_told += 1,
            Event::Shutdown => {
                assert!(self.converses);
                self.shutdown = true;
            }
        }
        self.machine.called(reply).unwrap();
        self.act();
        self.obey();
    }

    /// The session orders this and that.
    fn act(&mut self) {
        if self.converses && self.choices.one_in(3) {
            self.push();
        }
        if self.choices.one_in(8) {
            self.change_timer();
        }
        if self.converses && self.choices.one_in(12) {
            self.is_paused = self.choices.one_in(2);
            self.orders.reads = Some(!self.is_paused);
        }
        if self.converses && self.tls == Tls::InClear && W::MAY_START_TLS && self.choices.one_in(60)
        {
            self.tls = Tls::Asked;
            self.orders.starts_tls = true;
        }
        if self.choices.one_in(200) {
            let mode = [CloseMode::Graceful, CloseMode::Reset][self.choices.below(2)];
            self.orders.close = Some(mode);
            self.closed = Some(mode);
        }
    }

    /// A responder's reply.
    fn answer(&mut self, message: Bytes) -> Option<Bytes> {
        if self.converses {
            return None;
        }
        self.sent.extend(W::encoded(&message));
        Some(message)
    }

    /// A session sends by way of the handle, which keeps what is for TLS.
    pub(super) fn push(&mut self) {
        if self.tls == Tls::Asked {
            return;
        }
        let length = if self.choices.one_in(20) {
            HIGH_WATER_BYTES
        } else {
            1 + self.choices.below(300)
        };
        let bytes = Bytes::from(vec![self.choices.below(256) as u8; length]);
        self.sent.extend(W::encoded(&bytes));
        W::order(&mut self.orders, bytes);
    }

    fn change_timer(&mut self) {
        let id = self.choices.below(5) as u32;
        let delay = Duration::from_millis(self.choices.below(50) as u64);
        if self.choices.one_in(3) {
            self.timers.remove(&id);
            self.orders.timers.push(TimerChange::Cancel { id });
        } else {
            self.timers.insert(id, self.now + delay);
            self.orders.timers.push(TimerChange::Set { id, delay });
        }
    }
}
