//! A connection served by a session: reads, cuts messages, tells the session, writes what it sends.
//!
//! Everything happens in one task, so that order and back-pressure need no channels. Reading and writing
//! go on side by side, and what was sent before goes out while the guest still computes.

use super::idle::IdleTimer;
use super::input::Input;
use super::output::Output;
use super::timers::Timers;
use super::{ConnectionError, Ending, Terms};
use crate::framing::{Decoder, FramingError};
use crate::handler::{Event, Session};
use crate::limits::{HIGH_WATER_BYTES, Limit, MAX_TIMERS};
use crate::outbox::{CloseMode, Lost, Notice, Outbox};
use crate::rates::Throttle;
use bytes::Bytes;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::coop::consume_budget;

/// Serves one client until both sides are done with each other. The session has ended then.
pub async fn serve<S, H>(
    stream: &mut S,
    mut session: H,
    outbox: Arc<Outbox>,
    terms: &Terms,
    throttle: Option<Throttle>,
) -> Result<Ending, ConnectionError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    H: Session,
{
    let mut connection = Connection {
        stream,
        decoder: Decoder::new(terms.framing.clone(), terms.limits.max_message_bytes),
        input: Input::default(),
        client_finished: false,
        cut_off: false,
        eof_told: false,
        output: Output::new(outbox.clone()),
        congested: false,
        held_back: false,
        outbox,
        converses: terms.converses,
        close: None,
        timers: Timers::default(),
        due: None,
        notice: None,
        idle: terms.limits.idle_timeout.map(IdleTimer::new),
        throttle,
        waiting: None,
    };
    let mut result = connection.run(&mut session).await;
    // The session need not wait for a client that takes its time to read the last bytes. Boxed, so that there is room for
    // it only when it comes to that.
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
    /// Whether the client's end came without the word that TLS wants (RFC 8446, section 6.1): what it sent may not be
    /// all of what it wanted to send, so an unfinished message is none, and the session is not told of an end.
    pub(super) cut_off: bool,
    pub(super) eof_told: bool,
    pub(super) output: Output,
    /// Whether the output rose above the high-water mark and the session was not told yet that it
    /// has fallen again.
    pub(super) congested: bool,
    /// Whether the client's messages waited when it was last looked at.
    held_back: bool,
    pub(super) outbox: Arc<Outbox>,
    pub(super) converses: bool,
    close: Option<CloseMode>,
    pub(super) timers: Timers,
    /// The timer that has run out.
    pub(super) due: Option<u32>,
    /// What the session was not told yet.
    notice: Option<Notice>,
    pub(super) idle: Option<IdleTimer>,
    /// The rates that hold for it, if any do.
    pub(super) throttle: Option<Throttle>,
    /// The message that waits for its token.
    pub(super) waiting: Option<Bytes>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<'_, S> {
    async fn run(&mut self, session: &mut impl Session) -> Result<Ending, ConnectionError> {
        if !self.converses {
            while self.input.bytes.is_empty() {
                if self.client_finished {
                    return Ok(Ending::Finished);
                }
                self.transfer().await?;
                self.collect()?;
                if self.notice == Some(Notice::Stop) {
                    return Ok(Ending::Finished);
                }
            }
        }
        // A connection on which nothing happens has no need of the room that calls take: boxed, it is there when
        // there is something to call for.
        Box::pin(self.converse(session)).await
    }

    async fn converse(&mut self, session: &mut impl Session) -> Result<Ending, ConnectionError> {
        self.tell(session, Event::Open(None)).await?;
        loop {
            self.collect()?;
            match self.close {
                Some(CloseMode::Graceful) => return Ok(Ending::Finished),
                Some(CloseMode::Reset) => return Ok(Ending::Reset),
                None => {}
            }
            if let Some(event) = self.next_event()? {
                // One read may hold thousands of messages: others get their turn in between.
                consume_budget().await;
                let last = event == Event::Shutdown;
                self.tell(session, event).await?;
                if last {
                    self.collect()?;
                    self.close.get_or_insert(CloseMode::Graceful);
                }
            } else if self.is_over() {
                return Ok(Ending::Finished);
            } else {
                self.transfer().await?;
            }
        }
    }

    /// Whether nothing more comes, and all that came was answered.
    fn is_over(&mut self) -> bool {
        match self.cut_off {
            true => self.waiting.is_none() && !self.holds_back(),
            false => self.eof_told && self.output.is_written() && self.timers.is_empty(),
        }
    }

    /// What the session is to be told next, if anything has happened.
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
            self.outbox.note_message();
            return Ok(Some(Event::Message(message)));
        }
        if let Some(message) = self.next_message()? {
            let pass = |throttle: &mut Throttle| throttle.take_message();
            if self.throttle.as_mut().is_none_or(pass) {
                self.outbox.note_message();
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

    /// Whether the client's messages wait until it has read more of the replies.
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

    /// Tells the session, and writes what was sent before whenever that makes us wait.
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

    /// Does what sessions ordered.
    fn collect(&mut self) -> Result<(), ConnectionError> {
        let mut lost = None;
        self.outbox.collect(|orders| {
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
