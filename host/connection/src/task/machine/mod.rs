//! The state machine of a connection: given what has happened, it decides what happens next. One
//! for streams, WebSockets and datagrams; the [`Wire`] has what differs.
//!
//! Pure: it knows no stream, no runtime, no clock and no Wasm. A loop around it moves the bytes and
//! calls the session, and a simulation drives it through schedules that no network repeats.

mod datagrams;
mod obeying;
#[cfg(test)]
mod simulation;
mod stream;
mod timers;
mod watched;
mod websocket;
mod wire;

pub use datagrams::DatagramWire;
pub use stream::StreamWire;
pub use watched::WatchedInput;
pub use websocket::WebSocketWire;
pub use wire::{ByteWire, InputState, Wire};

use super::CloseReason;
use crate::handle::{CloseMode, Lost};
use crate::handler::Event;
use crate::limits::{HIGH_WATER_BYTES, Limit};
use crate::rates::Gate;
use bytes::Bytes;
use framing::FramingError;
use std::time::Instant;
use timers::Timers;

/// What a connection does next.
#[derive(Debug)]
pub enum Step {
    /// Calls the session with this event, then [`Machine::called`] and [`Machine::obey`].
    Call(Event),
    /// Moves bytes, or waits until something happens.
    Wait,
    /// Everything that was sent in clear is written: starts TLS, then [`Machine::secured`]. What
    /// the client has sent already must not be used.
    StartTls,
    /// No byte has moved for the idle timeout, and nothing else is to do.
    Idle,
    /// Ends.
    End(CloseReason),
}

/// The state of a connection.
pub struct Machine<W> {
    pub wire: W,
    converses: bool,
    opened: bool,
    eof_told: bool,
    /// Whether a stop was received, and whether the session was told, if it is to be.
    stopping: bool,
    stop_told: bool,
    /// Whether the output was above the high-water mark and the session does not know yet that it
    /// has fallen again.
    congested: bool,
    /// Whether the client's messages were held back at the last check.
    held_back: bool,
    close: Option<CloseMode>,
    timers: Timers,
    /// The time until which timers have expired.
    expired_until: Option<Instant>,
    /// Whether there is a new generation that the session does not know yet.
    moving: bool,
    /// Whether no byte has moved for the idle timeout.
    idle: bool,
    /// A message that waits for a rate token.
    waiting: Option<Bytes>,
    /// Whether the session wants nothing from its client for now.
    paused: bool,
    tls: Tls,
}

/// The way to TLS on a connection in clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tls {
    /// As it connected.
    Unchanged,
    /// To be started when everything is written.
    Starting,
    /// Established; the session does not know yet.
    Established,
}

impl<W: Wire> Machine<W> {
    /// A new connection. See [`Handler::converses`](crate::handler::Handler::converses).
    pub fn new(wire: W, converses: bool) -> Self {
        Machine {
            wire,
            converses,
            opened: false,
            eof_told: false,
            stopping: false,
            stop_told: false,
            congested: false,
            held_back: false,
            close: None,
            timers: Timers::default(),
            expired_until: None,
            moving: false,
            idle: false,
            waiting: None,
            paused: false,
            tls: Tls::Unchanged,
        }
    }

    /// What to do next.
    pub fn next(&mut self, gate: &mut impl Gate) -> Result<Step, FramingError> {
        if self.stop_told {
            self.close.get_or_insert(CloseMode::Graceful);
        }
        match self.close {
            Some(CloseMode::Graceful) => return Ok(Step::End(CloseReason::Finished)),
            Some(CloseMode::Reset) => return Ok(Step::End(CloseReason::Reset)),
            None => {}
        }
        if !self.opened {
            return Ok(self.open(gate));
        }
        if self.tls == Tls::Starting && (!self.stopping || W::STOPS_AFTER_INPUT) {
            return Ok(if self.wire.is_written() {
                Step::StartTls
            } else {
                self.wait(gate)
            });
        }
        if let Some(event) = self.next_event(gate)? {
            return Ok(Step::Call(event));
        }
        let input = self.wire.input_state();
        let has_ended = match input {
            _ if self.stop_told => true,
            InputState::Open | InputState::Closed => false,
            InputState::Finished => {
                let is_done = self.timers.is_empty() || !W::TIMERS_OUTLIVE_INPUT;
                self.eof_told && self.wire.is_written() && is_done
            }
            InputState::CutOff => self.waiting.is_none() && !self.paused && !self.holds_back(),
        };
        if has_ended {
            return Ok(Step::End(input.close_reason()));
        }
        Ok(self.wait(gate))
    }

    /// Conversations open at once, others with the first byte: a silent client needs no instance.
    fn open(&mut self, gate: &impl Gate) -> Step {
        if self.converses || self.wire.has_input() {
            self.opened = true;
            Step::Call(Event::Open(None))
        } else if self.stopping && !W::STOPS_AFTER_INPUT
            || self.wire.input_state() != InputState::Open
        {
            Step::End(self.wire.input_state().close_reason())
        } else {
            self.wait(gate)
        }
    }

    fn wait(&mut self, gate: &impl Gate) -> Step {
        if !std::mem::take(&mut self.idle) {
            return Step::Wait;
        }
        // A client that the rate limits hold back is not idle.
        let is_held_back = self.waiting.is_some() && gate.pauses_message()
            || self.wants_input() && gate.pauses_reading();
        if !is_held_back {
            Step::Idle
        } else {
            Step::Wait
        }
    }

    /// The next event for the session, if any.
    fn next_event(&mut self, gate: &mut impl Gate) -> Result<Option<Event>, FramingError> {
        if self.stopping && !W::STOPS_AFTER_INPUT {
            return Ok(self.stop());
        }
        if std::mem::take(&mut self.moving) {
            return Ok(Some(Event::Move));
        }
        if self.tls == Tls::Established {
            self.tls = Tls::Unchanged;
            return Ok(Some(Event::Secured));
        }
        if self.congested && self.wire.unsent_bytes() <= HIGH_WATER_BYTES / 2 {
            self.congested = false;
            return Ok(Some(Event::Writable));
        }
        if let Some(now) = self.expired_until {
            match self.timers.expire(now) {
                Some(id) => return Ok(Some(Event::Timer(id))),
                None => self.expired_until = None,
            }
        }
        // The last messages of a closed input come even to a session that has paused.
        let is_paused = self.paused && self.wire.input_state() != InputState::Closed;
        if is_paused || self.holds_back() {
            return Ok(None);
        }
        if let Some(message) = self.next_message(gate)? {
            return Ok(Some(Event::Message(message)));
        }
        if self.waiting.is_some() {
            return Ok(None);
        }
        match self.wire.input_state() {
            InputState::Finished if !self.eof_told => {
                self.eof_told = true;
                Ok(Some(Event::Eof))
            }
            InputState::Closed if self.wire.is_written() => Ok(self.stop()),
            _ => Ok(None),
        }
    }

    /// The last event. Only conversations are told.
    fn stop(&mut self) -> Option<Event> {
        self.stop_told = true;
        self.converses.then_some(Event::Shutdown)
    }

    fn next_message(&mut self, gate: &mut impl Gate) -> Result<Option<Bytes>, FramingError> {
        if self.waiting.is_some() {
            return Ok(if gate.pauses_message() {
                None
            } else {
                self.waiting.take()
            });
        }
        let Some(message) = self.wire.next_message()? else {
            return Ok(None);
        };
        if gate.take_message() {
            return Ok(Some(message));
        }
        self.waiting = Some(message);
        Ok(None)
    }

    /// Whether messages are held back until the client has read more replies.
    fn holds_back(&mut self) -> bool {
        let holds_back = self.congested || self.wire.is_full();
        if holds_back && !self.held_back && self.wire.unsent_bytes() >= HIGH_WATER_BYTES {
            Limit::HighWater.reached();
        }
        self.held_back = holds_back;
        holds_back
    }

    /// The session has returned from its call.
    pub fn called(&mut self, reply: Option<Bytes>) -> Result<(), Lost> {
        reply.map_or(Ok(()), |reply| self.wire.push(reply))
    }

    /// Whether the client has sent anything that is not handled.
    pub fn has_input(&mut self) -> bool {
        self.wire.has_input() || self.waiting.is_some()
    }

    /// TLS is established.
    pub fn secured(&mut self) {
        self.tls = Tls::Established;
    }

    /// Bytes have moved: the connection is not idle.
    pub fn moved(&mut self) {
        self.idle = false;
    }

    /// Whether input is wanted: what was read is handled, or is not a whole message.
    pub fn wants_input(&self) -> bool {
        self.wire.input_state() == InputState::Open
            && !self.congested
            && !self.wire.is_full()
            && self.waiting.is_none()
            && !self.paused
            && self.tls != Tls::Starting
    }

    /// Whether a message waits for nothing but its rate token.
    pub fn waits_for_token(&self) -> bool {
        self.waiting.is_some() && !self.paused && !self.congested && !self.wire.is_full()
    }

    /// Whether it may go on as soon as output is sent.
    pub fn waits_for_room(&self) -> bool {
        self.congested
            || self.wire.is_full()
            || self.wire.input_state() != InputState::Open
            || self.tls == Tls::Starting
    }

    /// Whether the service stops: no further input is to be taken.
    pub fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// When the next timer expires.
    pub fn next_timer(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Notes that timers until now have expired. Their events come next, unless the session cancels
    /// them before.
    pub fn expire(&mut self, now: Instant) {
        self.expired_until = Some(now);
    }
}
