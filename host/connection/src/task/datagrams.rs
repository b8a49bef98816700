//! The session of one UDP sender: takes datagrams, cuts messages, calls the session, sends its
//! replies. Like a stream's, it is one task. But datagrams have no end, and a sender that is too
//! fast or breaks the framing loses datagrams, not the connection: any datagram may be forged.

use super::idle::IdleTimer;
use super::inbox::{Datagrams, Inbox};
use super::timers::Timers;
use super::{CloseReason, ConnectionError, ConnectionSettings};
use crate::framing::{DatagramDecoder, FramingError};
use crate::handle::{CloseMode, ConnectionHandle, Lost, Notice};
use crate::handler::{Event, Session, SessionError};
use crate::limits::{DATAGRAM_BATCH, HIGH_WATER_BYTES, Limit, MAX_TIMERS};
use bytes::Bytes;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::task::coop::consume_budget;

/// Sends replies to one sender.
pub trait ReplySink: Send + Sync {
    /// Counts received datagrams and their bytes.
    fn received(&mut self, datagrams: usize, bytes: usize);

    /// Whether a datagram of this length may be sent. If not, it has logged the reason.
    fn admits(&mut self, bytes: usize) -> bool;

    /// Sends datagrams without waiting and returns how many. Fails if the first cannot be sent:
    /// `WouldBlock` means not now, other errors mean never.
    fn send(&self, datagrams: &[Bytes]) -> io::Result<usize>;

    /// Completes when sending may be possible again.
    fn writable(&self) -> impl Future<Output = ()> + Send;
}

/// Serves one sender until its session closes, the idle timeout passes, or `inbox` is closed and
/// empty. Then ends the session and closes the inbox.
pub async fn serve_datagrams<R: ReplySink, S: Session>(
    inbox: &Inbox,
    way: R,
    mut session: S,
    handle: Arc<ConnectionHandle>,
    settings: &ConnectionSettings,
) -> Result<CloseReason, ConnectionError> {
    let mut connection = Connection {
        inbox,
        way,
        handle,
        decoder: DatagramDecoder::new(settings.framing.clone(), settings.limits.max_message_bytes),
        input: Datagrams::default(),
        finished: false,
        output: VecDeque::new(),
        congested: false,
        converses: settings.converses,
        close: None,
        timers: Timers::default(),
        due: None,
        moving: false,
        idle: settings.limits.idle_timeout.map(IdleTimer::new),
    };
    let result = connection.run(&mut session).await;
    // Later datagrams start a new session.
    inbox.close();
    tokio::join!(connection.say_goodbye(&result), session.end());
    result
}

struct Connection<'a, R> {
    inbox: &'a Inbox,
    way: R,
    handle: Arc<ConnectionHandle>,
    decoder: DatagramDecoder,
    input: Datagrams,
    /// Whether no more datagrams will arrive.
    finished: bool,
    output: VecDeque<Bytes>,
    /// Whether the output was above the high-water mark and the session does not know yet that it
    /// has fallen again.
    congested: bool,
    converses: bool,
    close: Option<CloseMode>,
    timers: Timers,
    /// A timer that has expired.
    due: Option<u32>,
    /// Whether the session does not know yet that there is a new generation.
    moving: bool,
    idle: Option<IdleTimer>,
}

impl<R: ReplySink> Connection<'_, R> {
    async fn run(&mut self, session: &mut impl Session) -> Result<CloseReason, ConnectionError> {
        // How much the session may send on open depends on the bytes received.
        self.take_in();
        self.tell(session, Event::Open(None)).await?;
        loop {
            self.collect()?;
            match self.close {
                Some(CloseMode::Graceful) => return Ok(CloseReason::Finished),
                Some(CloseMode::Reset) => return Ok(CloseReason::Reset),
                None => {}
            }
            if self.output.len() >= DATAGRAM_BATCH {
                self.flush().await;
            } else if let Some(event) = self.next_event() {
                // There may be hundreds of datagrams: let other tasks run in between.
                consume_budget().await;
                self.tell(session, event).await?;
            } else if !self.output.is_empty() {
                self.flush().await;
            } else if !self.finished {
                poll_fn(|cx| self.poll_happened(cx)).await;
            } else {
                if self.converses {
                    self.tell(session, Event::Shutdown).await?;
                    self.collect()?;
                }
                self.close.get_or_insert(CloseMode::Graceful);
            }
        }
    }

    /// The next event for the session, if any.
    fn next_event(&mut self) -> Option<Event> {
        if std::mem::take(&mut self.moving) {
            return Some(Event::Move);
        }
        if self.congested && self.handle.unsent_bytes() <= HIGH_WATER_BYTES / 2 {
            self.congested = false;
            return Some(Event::Writable);
        }
        if let Some(id) = self.due.take() {
            return Some(Event::Timer(id));
        }
        let message = self.next_message()?;
        self.handle.note_message();
        Some(Event::Message(message))
    }

    fn next_message(&mut self) -> Option<Bytes> {
        loop {
            match self.decoder.next_message() {
                Ok(Some(message)) => return Some(message),
                Ok(None) => {}
                Err(error) => {
                    if let FramingError::TooLong { .. } = error {
                        Limit::MaxMessage.reached();
                    }
                    let _entered = self.handle.span().enter();
                    tracing::debug!("dropped the rest of a datagram: {error}");
                }
            }
            if self.input.is_empty() {
                self.take_in();
            }
            let datagram = self.input.pop()?;
            self.decoder.begin(datagram);
        }
    }

    /// Takes all waiting datagrams.
    fn take_in(&mut self) {
        self.finished = !self.inbox.take(&mut self.input);
        if self.input.is_empty() {
            return;
        }
        self.handle.note_received(self.input.bytes());
        self.way.received(self.input.len(), self.input.bytes());
        if let Some(idle) = &mut self.idle {
            idle.touch();
        }
    }

    /// Calls the session, and sends pending output while waiting for it.
    async fn tell(&mut self, session: &mut impl Session, event: Event) -> Result<(), SessionError> {
        let mut call = pin!(session.tell(event));
        poll_fn(|cx| {
            let told = call.as_mut().poll(cx);
            if told.is_pending() {
                self.send();
            }
            told
        })
        .await
    }

    /// Carries out the orders of sessions.
    fn collect(&mut self) -> Result<(), ConnectionError> {
        let mut lost = None;
        self.handle.collect(|orders| {
            for datagram in orders.datagrams.drain(..) {
                if self.way.admits(datagram.len()) {
                    self.output.push_back(datagram)
                } else {
                    self.handle.discarded(datagram.len())
                }
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
            match orders.notice.take() {
                Some(Notice::Move) => self.moving = true,
                // Waiting datagrams are handled first. The sender's next datagram starts a new
                // session.
                Some(Notice::Stop) => self.inbox.close(),
                None => {}
            }
            self.close = self.close.or(orders.close);
        });
        self.congested |= self.converses && self.handle.unsent_bytes() > HIGH_WATER_BYTES;
        lost.map_or(Ok(()), |lost| Err(ConnectionError::Lost(lost)))
    }

    /// Waits for datagrams, orders, an expired timer or the idle timeout.
    fn poll_happened(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let filled = self.inbox.poll_filled(cx).is_ready();
        let ordered = self.handle.poll_ordered(cx).is_ready();
        if let Poll::Ready(id) = self.timers.poll_due(cx) {
            self.due = Some(id);
        }
        if filled || ordered || self.due.is_some() {
            return Poll::Ready(());
        }
        let Some(idle) = &mut self.idle else {
            return Poll::Pending;
        };
        ready!(idle.poll_expired(cx));
        // A datagram that arrives right now must not be lost.
        if self.inbox.close_if_empty() {
            self.close = Some(CloseMode::Graceful);
        }
        Poll::Ready(())
    }

    /// Sends everything, waiting until the socket takes it.
    async fn flush(&mut self) {
        loop {
            self.send();
            if self.output.is_empty() {
                return;
            }
            self.way.writable().await;
        }
    }

    /// Sends what the socket takes without waiting.
    fn send(&mut self) {
        while !self.output.is_empty() {
            let datagrams = self.output.make_contiguous();
            let (gone, sent) = match self.way.send(datagrams) {
                Ok(sent) => (sent, true),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => {
                    let _entered = self.handle.span().enter();
                    tracing::debug!("cannot send a datagram: {error}");
                    (1, false)
                }
            };
            let bytes = self
                .output
                .drain(..gone)
                .map(|datagram| datagram.len())
                .sum();
            if sent {
                self.handle.written(bytes)
            } else {
                self.handle.discarded(bytes)
            }
        }
    }

    /// Sends the remaining replies, depending on how the session ended.
    async fn say_goodbye(&mut self, result: &Result<CloseReason, ConnectionError>) {
        match result {
            Err(ConnectionError::Session(SessionError::Internal(_) | SessionError::Call(_)))
                if self.converses =>
            {
                self.send();
            }
            Ok(CloseReason::Finished) | Err(ConnectionError::Session(_)) => self.flush().await,
            Ok(CloseReason::Reset) | Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
