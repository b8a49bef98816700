//! A connection served by a session: reads, cuts messages, calls the session, writes replies.
//!
//! One task does everything, so order and back-pressure need no channels. Reading and writing go on
//! at the same time, and earlier replies leave while the guest computes.

use super::idle::IdleTimer;
use super::input::Input;
use super::output::Output;
use super::timers::Timers;
use super::{CloseReason, ConnectionError, ConnectionSettings};
use crate::framing::{Decoder, FramingError};
use crate::handle::{CloseMode, ConnectionHandle, Lost, Notice};
use crate::handler::{Event, Session};
use crate::limits::{HIGH_WATER_BYTES, Limit, MAX_TIMERS};
use crate::rates::Throttle;
use bytes::Bytes;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::coop::consume_budget;

/// Serves one client until both sides are finished. Then ends the session.
pub async fn serve<S, H>(
    stream: &mut S,
    mut session: H,
    handle: Arc<ConnectionHandle>,
    settings: &ConnectionSettings,
    throttle: Option<Throttle>,
) -> Result<CloseReason, ConnectionError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    H: Session,
{
    let mut connection = Connection {
        stream,
        decoder: Decoder::new(settings.framing.clone(), settings.limits.max_message_bytes),
        input: Input::default(),
        client_finished: false,
        cut_off: false,
        eof_told: false,
        output: Output::new(handle.clone()),
        congested: false,
        held_back: false,
        handle,
        converses: settings.converses,
        close: None,
        timers: Timers::default(),
        due: None,
        notice: None,
        idle: settings.limits.idle_timeout.map(IdleTimer::new),
        throttle,
        waiting: None,
    };
    let mut result = connection.run(&mut session).await;
    // The session ends without waiting for a client that is slow to read the last bytes. Boxed, so
    // that its memory exists only then.
    let end = async { tokio::join!(connection.say_goodbye(&result), session.end()) };
    let (said, ()) = Box::pin(end).await;
    if let Err(error) = said
        && result.is_ok()
    {
        result = Err(error);
    }
    result
}

pub(super) struct Connection<'a, S> {
    pub(super) stream: &'a mut S,
    decoder: Decoder,
    pub(super) input: Input,
    pub(super) client_finished: bool,
    /// Whether the stream ended without TLS `close_notify` (RFC 8446, section 6.1). Data may be
    /// missing then, so an unfinished message is dropped and the session sees no end of input.
    pub(super) cut_off: bool,
    pub(super) eof_told: bool,
    pub(super) output: Output,
    /// Whether the output was above the high-water mark and the session does not know yet that it
    /// has fallen again.
    pub(super) congested: bool,
    /// Whether the client's messages were held back at the last check.
    held_back: bool,
    pub(super) handle: Arc<ConnectionHandle>,
    pub(super) converses: bool,
    close: Option<CloseMode>,
    pub(super) timers: Timers,
    /// A timer that has expired.
    pub(super) due: Option<u32>,
    /// A notice that the session does not know yet.
    notice: Option<Notice>,
    pub(super) idle: Option<IdleTimer>,
    /// The rate limits of this connection, if any.
    pub(super) throttle: Option<Throttle>,
    /// A message that waits for a rate token.
    pub(super) waiting: Option<Bytes>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<'_, S> {
    async fn run(&mut self, session: &mut impl Session) -> Result<CloseReason, ConnectionError> {
        if !self.converses {
            while self.input.bytes.is_empty() {
                if self.client_finished {
                    return Ok(CloseReason::Finished);
                }
                self.transfer().await?;
                self.collect()?;
                if self.notice == Some(Notice::Stop) {
                    return Ok(CloseReason::Finished);
                }
            }
        }
        // Boxed: an idle connection does not need the memory that calls take.
        Box::pin(self.converse(session)).await
    }

    async fn converse(
        &mut self,
        session: &mut impl Session,
    ) -> Result<CloseReason, ConnectionError> {
        self.tell(session, Event::Open(None)).await?;
        loop {
            self.collect()?;
            match self.close {
                Some(CloseMode::Graceful) => return Ok(CloseReason::Finished),
                Some(CloseMode::Reset) => return Ok(CloseReason::Reset),
                None => {}
            }
            if let Some(event) = self.next_event()? {
                // One read may hold thousands of messages: let other tasks run in between.
                consume_budget().await;
                let last = event == Event::Shutdown;
                self.tell(session, event).await?;
                if last {
                    self.collect()?;
                    self.close.get_or_insert(CloseMode::Graceful);
                }
            } else if self.is_over() {
                return Ok(CloseReason::Finished);
            } else {
                self.transfer().await?;
            }
        }
    }

    /// Whether the input has ended and every message is answered.
    fn is_over(&mut self) -> bool {
        if self.cut_off {
            self.waiting.is_none() && !self.holds_back()
        } else {
            self.eof_told && self.output.is_written() && self.timers.is_empty()
        }
    }

    /// The next event for the session, if any.
    fn next_event(&mut self) -> Result<Option<Event>, FramingError> {
        match self.notice.take() {
            Some(Notice::Stop) => return Ok(Some(Event::Shutdown)),
            Some(Notice::Move) => return Ok(Some(Event::Move)),
            None => {}
        }
        if self.congested && self.output.bytes.len() <= HIGH_WATER_BYTES / 2 {
            self.congested = false;
            return Ok(Some(Event::Writable));
        }
        if let Some(id) = self.due.take() {
            return Ok(Some(Event::Timer(id)));
        }
        if self.holds_back() {
            return Ok(None);
        }
        let pauses = |throttle: &Throttle| throttle.pauses_message();
        if !self.throttle.as_ref().is_some_and(pauses)
            && let Some(message) = self.waiting.take()
        {
            self.handle.note_message();
            return Ok(Some(Event::Message(message)));
        }
        if let Some(message) = self.next_message()? {
            let pass = |throttle: &mut Throttle| throttle.take_message();
            if self.throttle.as_mut().is_none_or(pass) {
                self.handle.note_message();
                return Ok(Some(Event::Message(message)));
            }
            self.waiting = Some(message);
        }
        if self.waiting.is_some() {
            return Ok(None);
        }
        let eof = self.client_finished && !self.cut_off && !self.eof_told;
        self.eof_told |= eof;
        Ok(eof.then_some(Event::Eof))
    }

    /// Whether messages are held back until the client has read more replies.
    fn holds_back(&mut self) -> bool {
        let holds_back = self.congested || self.output.bytes.len() >= HIGH_WATER_BYTES;
        if holds_back && !self.held_back {
            Limit::HighWater.reached();
        }
        self.held_back = holds_back;
        holds_back
    }

    fn next_message(&mut self) -> Result<Option<Bytes>, FramingError> {
        if self.waiting.is_some() {
            return Ok(None);
        }
        match self.decoder.next(&mut self.input.bytes)? {
            None if self.client_finished && !self.cut_off => {
                self.decoder.finish(&mut self.input.bytes)
            }
            message => Ok(message),
        }
    }

    /// Calls the session, and writes earlier output while waiting for it.
    async fn tell(
        &mut self,
        session: &mut impl Session,
        event: Event,
    ) -> Result<(), ConnectionError> {
        let mut call = pin!(session.tell(event));
        poll_fn(|cx| {
            if let Poll::Ready(told) = call.as_mut().poll(cx) {
                return Poll::Ready(told.map_err(Into::into));
            }
            if let (_, Poll::Ready(Err(error))) = self.output.poll_write(self.stream, cx) {
                return Poll::Ready(Err(error.into()));
            }
            Poll::Pending
        })
        .await
    }

    /// Carries out the orders of sessions.
    fn collect(&mut self) -> Result<(), ConnectionError> {
        let mut lost = None;
        self.handle.collect(|orders| {
            if self.output.bytes.is_empty() {
                std::mem::swap(&mut self.output.bytes, &mut orders.bytes);
            } else {
                self.output.bytes.extend_from_slice(&orders.bytes);
                orders.bytes.clear();
            }
            if let Some(framing) = orders.framing.take() {
                self.decoder.set_framing(framing);
            }
            lost = orders.lost.clone();
            for change in orders.timers.drain(..) {
                if !self.timers.change(change) {
                    lost = Some(Lost::TooManyTimers { limit: MAX_TIMERS });
                }
            }
            self.notice = self.notice.max(orders.notice.take());
            self.close = self.close.or(orders.close);
        });
        self.congested |= self.converses && self.output.bytes.len() > HIGH_WATER_BYTES;
        lost.map_or(Ok(()), |lost| Err(ConnectionError::Lost(lost)))
    }
}
