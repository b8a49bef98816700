//! The loop around a stream, plain or a WebSocket: moves bytes between it and the state machine,
//! and calls the session.
//!
//! One task does everything, so order and back-pressure need no channels. Reading and writing go on
//! at the same time, and earlier replies leave while the guest computes.

use super::alarm::Alarm;
use super::input;
use super::machine::{ByteWire, Machine, Step};
use super::observer::Observer;
use super::start_tls::StartTls;
use super::{CloseReason, ConnectionError};
use crate::handle::ConnectionHandle;
use crate::handler::{Event, Session, SessionError};
use crate::limits::{CALLS_OF_A_READ, MAX_CALLS_IN_A_ROW};
use crate::rates::Throttle;
use bytes::Bytes;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::yield_now;

pub(super) struct Connection<'a, S, W, T> {
    pub(super) stream: &'a mut S,
    pub(super) machine: Machine<W>,
    pub(super) converses: bool,
    /// Whether the client has sent anything.
    pub(super) has_read: bool,
    /// Whether reads are looked at: the first, and all if the connection is watched.
    pub(super) looks_at_reads: bool,
    /// What looks at more than bytes that move, if there is a reason.
    pub(super) observer: Option<Box<Observer>>,
    pub(super) alarm: Alarm,
    pub(super) handle: Arc<ConnectionHandle>,
    throttle: Throttle,
    /// Until it was used.
    pub(super) start_tls: Option<T>,
    /// Calls since it last waited.
    calls: u8,
}

impl<'a, S, W, T> Connection<'a, S, W, T>
where
    S: AsyncRead + AsyncWrite + Unpin,
    W: ByteWire,
    T: StartTls<S>,
{
    pub(super) fn new(
        stream: &'a mut S,
        machine: Machine<W>,
        converses: bool,
        handle: Arc<ConnectionHandle>,
        throttle: Throttle,
        start_tls: T,
    ) -> Self {
        Connection {
            stream,
            machine,
            converses,
            has_read: false,
            looks_at_reads: true,
            observer: None,
            alarm: Alarm::by(handle.clock().clone()),
            handle,
            throttle,
            start_tls: Some(start_tls),
            calls: 0,
        }
    }

    /// Runs until the connection is to end.
    pub(super) async fn run(
        &mut self,
        session: &mut impl Session,
    ) -> Result<CloseReason, ConnectionError> {
        if self.handle.watched().is_some() {
            self.collect()?;
        }
        loop {
            match self.machine.next(&mut self.throttle)? {
                // Boxed: an idle connection does not need the memory that calls take.
                Step::Call(first) => return Box::pin(self.converse(session, first)).await,
                Step::Wait => self.transfer().await?,
                Step::StartTls => Box::pin(self.start_tls()).await?,
                Step::Idle => return Err(self.idle()),
                Step::End(reason) => return Ok(reason),
            }
        }
    }

    async fn converse(
        &mut self,
        session: &mut impl Session,
        first: Event,
    ) -> Result<CloseReason, ConnectionError> {
        let mut event = first;
        loop {
            // One read may hold thousands of messages.
            self.take_turns(1).await;
            let is_message = matches!(event, Event::Message(_));
            if is_message {
                self.handle.note_message();
            }
            self.handle.set_calling(self.converses);
            let told = {
                let mut call = pin!(session.tell(event));
                poll_fn(|cx| self.poll_call(call.as_mut(), cx)).await
            };
            self.handle.set_calling(false);
            if is_message {
                // A client that waited for this call was not idle.
                self.handle.touch();
            }
            self.called(told?)?;
            event = loop {
                match self.machine.next(&mut self.throttle)? {
                    Step::Call(event) => break event,
                    Step::Wait => self.transfer().await?,
                    // Boxed: most connections need none of its memory.
                    Step::StartTls => Box::pin(self.start_tls()).await?,
                    Step::Idle => return Err(self.idle()),
                    Step::End(reason) => return Ok(reason),
                }
            };
        }
    }

    /// Lets other tasks run after every few calls.
    #[inline]
    async fn take_turns(&mut self, calls: u8) {
        self.calls += calls;
        if self.calls >= MAX_CALLS_IN_A_ROW {
            self.calls = 0;
            yield_now().await;
            if let Some(observer) = &self.observer {
                observer.begin_call();
            }
        }
    }

    fn idle(&self) -> ConnectionError {
        ConnectionError::Idle(self.handle.idle_timeout())
    }

    /// Polls a call of the session, and writes earlier output while it waits.
    #[inline]
    fn poll_call(
        &mut self,
        call: Pin<&mut impl Future<Output = Result<Option<Bytes>, SessionError>>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, ConnectionError>> {
        if let Poll::Ready(told) = call.poll(cx) {
            return Poll::Ready(told.map_err(ConnectionError::from));
        }
        let (wrote, written) = self.poll_write(cx);
        if wrote {
            self.handle.touch();
        }
        match written {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error.into())),
            _ => Poll::Pending,
        }
    }

    /// Takes the reply of a call, and carries out its orders.
    #[inline]
    fn called(&mut self, reply: Option<Bytes>) -> Result<(), ConnectionError> {
        if self.observer.is_some() {
            return self.called_observed(reply);
        }
        self.take_reply(reply)
    }

    #[inline]
    pub(super) fn take_reply(&mut self, reply: Option<Bytes>) -> Result<(), ConnectionError> {
        if let Some(reply) = &reply {
            self.handle.note_unsent(reply.len());
        }
        self.machine.called(reply).map_err(ConnectionError::Lost)?;
        self.collect()
    }

    /// Carries out orders that came by way of the handle.
    #[inline]
    pub(super) fn collect(&mut self) -> Result<(), ConnectionError> {
        let mut obeyed = Ok(());
        if self.handle.has_orders() {
            obeyed = self.obey();
        }
        if self.handle.has_moved() {
            // The sweep that found it idle is outdated.
            self.machine.moved();
        }
        obeyed.map_err(ConnectionError::Lost)
    }

    /// Moves bytes, until there is input, an order, an expired timer, or room for more output.
    async fn transfer(&mut self) -> Result<(), ConnectionError> {
        let mut has_waited = false;
        poll_fn(|cx| {
            let moved = self.poll_transfer(cx);
            has_waited |= moved.is_pending();
            moved
        })
        .await?;
        self.alarm.rest();
        if has_waited {
            self.calls = 0;
        } else {
            self.take_turns(CALLS_OF_A_READ).await;
        }
        // Only here: a session that sets a timer of no time again and again must not keep its
        // connection from moving bytes.
        if self.machine.next_timer().is_some() {
            self.machine.expire(self.alarm.now());
        }
        self.collect()
    }

    fn poll_transfer(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Nothing else depends on written bytes.
        let waits_for_room = self.machine.waits_for_room();
        let (wrote, written) = self.poll_write(cx);
        if let Poll::Ready(written) = written {
            written?;
        }
        let read = self.poll_read(cx)?.is_ready();
        if wrote || read {
            self.handle.touch();
        }
        if read || (wrote && waits_for_room) || self.poll_happened(cx) {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }

    /// Writes as much as the stream takes. Ready when all is written and flushed; the flag says
    /// whether it did anything that shows that the connection is in use.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> (bool, Poll<io::Result<()>>) {
        let mut moved = false;
        while !self.machine.wire.is_written() {
            match self.poll_write_once(cx) {
                Poll::Ready(Ok(is_used)) => moved |= is_used,
                Poll::Ready(Err(error)) => return (moved, Poll::Ready(Err(error))),
                Poll::Pending => return (moved, Poll::Pending),
            }
        }
        (moved, Poll::Ready(Ok(())))
    }

    fn poll_write_once(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let stream = Pin::new(&mut *self.stream);
        let wire = &mut self.machine.wire;
        if wire.chunk().is_empty() {
            ready!(stream.poll_flush(cx))?;
            return Poll::Ready(Ok(wire.flushed()));
        }
        let added = wire.take_added();
        if added > 0 {
            self.handle.note_unsent(added);
        }
        let written = ready!(stream.poll_write(cx, wire.chunk()))?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.handle.written(written);
        Poll::Ready(Ok(wire.written(written)))
    }

    /// Reads once, if the input can be handled.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> io::Result<Poll<()>> {
        if !self.machine.wants_input() {
            return Ok(Poll::Pending);
        }
        if self.throttle.poll_reading(cx).is_pending() {
            return Ok(Poll::Pending);
        }
        let input = self.machine.wire.input();
        let polled = input::poll_read(input, self.stream, cx);
        self.throttle.note_read(self.handle.note_commands());
        let Poll::Ready(read) = polled else {
            return Ok(Poll::Pending);
        };
        match read {
            Ok(0) => {
                self.look_at_end();
                self.machine.wire.end_input(false);
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.machine.wire.end_input(true);
            }
            Err(error) => return Err(error),
            Ok(read) => {
                if self.looks_at_reads {
                    self.look_at_read(read);
                }
                self.handle.note_received(read);
                self.throttle.note_read(read);
            }
        }
        Ok(Poll::Ready(()))
    }

    /// Whether anything other than bytes needs handling.
    fn poll_happened(&mut self, cx: &mut Context<'_>) -> bool {
        let ordered = self.handle.poll_ordered(cx).is_ready();
        let expired = self.alarm.poll(self.machine.next_timer(), cx).is_ready();
        // A message that has its token may still wait until the client reads more.
        let may_go_on = self.machine.waits_for_token() && self.throttle.poll_message(cx).is_ready();
        ordered || expired || may_go_on
    }
}
