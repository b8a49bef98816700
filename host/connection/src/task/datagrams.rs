//! The loop around the datagrams of one UDP sender. Like a stream's, it is one task. But a sender
//! that is too fast or breaks the framing loses datagrams, not the connection: any datagram may be
//! forged.

use super::alarm::Alarm;
use super::inbox::Inbox;
use super::machine::{DatagramWire, Machine, Step, Wire};
use super::observer::ordered;
use super::{CloseReason, ConnectionError, ConnectionSettings};
use crate::handle::{ConnectionHandle, Lost, Orders, Seen, Watch};
use crate::handler::{Event, Session, SessionError};
use crate::limits::MAX_CALLS_IN_A_ROW;
use crate::rates::Gate;
use bytes::Bytes;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::task::yield_now;

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

/// Datagrams took their tokens when they were received.
struct Open;

impl Gate for Open {
    fn take_message(&mut self) -> bool {
        true
    }

    fn pauses_message(&self) -> bool {
        false
    }

    fn pauses_reading(&self) -> bool {
        false
    }
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
    let limits = &settings.limits;
    handle.set_idle_timeout(limits.idle_timeout);
    let wire = DatagramWire::new(settings.framing.clone(), limits.max_message_bytes);
    let mut connection = Connection {
        inbox,
        way,
        handle,
        machine: Machine::new(wire, settings.converses),
        converses: settings.converses,
        alarm: Alarm::default(),
        calls: 0,
        shown_bytes: 0,
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
    machine: Machine<DatagramWire>,
    converses: bool,
    alarm: Alarm,
    /// Calls since it last waited.
    calls: u8,
    /// The received bytes that those who watch have seen.
    shown_bytes: u64,
}

impl<R: ReplySink> Connection<'_, R> {
    async fn run(&mut self, session: &mut impl Session) -> Result<CloseReason, ConnectionError> {
        // How much the session may send on open depends on the bytes received.
        self.take_in();
        if self.handle.watched().is_some() {
            self.obey()?;
        }
        loop {
            match self.machine.next(&mut Open)? {
                Step::Call(event) => self.call(session, event).await?,
                Step::End(reason) => return Ok(reason),
                // A datagram that arrives right now must not be lost.
                Step::Idle if self.inbox.close_if_empty() => return Ok(CloseReason::Finished),
                // Datagrams offer no TLS.
                Step::Wait | Step::Idle | Step::StartTls => self.transfer().await?,
            }
            if let Some(error) = self.machine.wire.take_dropped() {
                let _entered = self.handle.span().enter();
                tracing::debug!("dropped the rest of a datagram: {error}");
            }
        }
    }

    /// Calls the session, and sends pending output while waiting for it.
    async fn call(
        &mut self,
        session: &mut impl Session,
        event: Event,
    ) -> Result<(), ConnectionError> {
        self.calls += 1;
        if self.calls == MAX_CALLS_IN_A_ROW {
            // There may be hundreds of datagrams: let other tasks run in between.
            self.calls = 0;
            yield_now().await;
            if let Some(watch) = self.handle.watched() {
                watch.begin_call();
            }
        }
        if let Event::Message(_) = event {
            self.handle.note_message();
        }
        self.handle.set_calling(self.converses);
        let mut call = pin!(session.tell(event));
        let told = poll_fn(|cx| {
            let told = call.as_mut().poll(cx);
            if told.is_pending() {
                self.send();
            }
            told
        })
        .await;
        self.handle.set_calling(false);
        let reply = told?;
        if let Some(reply) = &reply {
            self.handle.note_unsent(reply.len());
        }
        self.machine.called(reply)?;
        Ok(self.collect()?)
    }

    /// Carries out orders that came by way of the handle, and drops what may not be sent.
    #[inline]
    fn collect(&mut self) -> Result<(), Lost> {
        let mut obeyed = Ok(());
        if self.handle.has_orders() {
            obeyed = self.obey();
        }
        let (handle, machine) = (&self.handle, &mut self.machine);
        let refused = machine.wire.admit(|bytes| self.way.admits(bytes));
        handle.discarded(refused);
        if machine.is_stopping() {
            // Waiting datagrams are handled first. The sender's next one starts a new session.
            self.inbox.close();
        }
        if handle.has_moved() {
            // The sweep that found it idle is outdated.
            machine.moved();
        }
        obeyed
    }

    /// Most replies come without orders.
    #[inline(never)]
    fn obey(&mut self) -> Result<(), Lost> {
        let (handle, machine, alarm) = (&self.handle, &mut self.machine, &self.alarm);
        let mut obeyed = Ok(());
        handle.collect(|orders| {
            if let Some(watch) = &orders.watch {
                show(&machine.wire, watch, orders, handle, &mut self.shown_bytes);
            }
            obeyed = machine.obey(orders, || alarm.now());
        });
        obeyed
    }

    /// Takes all waiting datagrams.
    fn take_in(&mut self) {
        let wire = &mut self.machine.wire;
        wire.is_closed = !self.inbox.take(&mut wire.input);
        let waiting = &wire.input;
        if waiting.is_empty() {
            return;
        }
        self.handle.note_received(waiting.bytes());
        self.way.received(waiting.len(), waiting.bytes());
        self.handle.touch();
    }

    /// Sends what is pending, and waits for datagrams, orders, an expired timer, or room to send.
    async fn transfer(&mut self) -> Result<(), ConnectionError> {
        self.calls = 0;
        if self.machine.wire.is_written() {
            poll_fn(|cx| self.poll_happened(cx)).await;
        } else {
            self.flush().await;
        }
        if self.machine.wants_input() && !self.machine.wire.has_input() {
            self.take_in();
        }
        // Only here, as for streams.
        if self.machine.next_timer().is_some() {
            self.machine.expire(self.alarm.now());
        }
        Ok(self.collect()?)
    }

    fn poll_happened(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let filled = self.inbox.poll_filled(cx).is_ready();
        let ordered = self.handle.poll_ordered(cx).is_ready();
        let expired = self.alarm.poll(self.machine.next_timer(), cx).is_ready();
        if filled || ordered || expired {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// Sends everything, waiting until the socket takes it.
    async fn flush(&mut self) {
        loop {
            self.send();
            if self.machine.wire.is_written() {
                return;
            }
            self.way.writable().await;
        }
    }

    /// Sends what the socket takes without waiting.
    fn send(&mut self) {
        let wire = &mut self.machine.wire;
        while !wire.output().is_empty() {
            let (gone, sent) = match self.way.send(wire.output()) {
                Ok(sent) => (sent, true),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => {
                    let _entered = self.handle.span().enter();
                    tracing::debug!("cannot send a datagram: {error}");
                    (1, false)
                }
            };
            let bytes = wire.sent(gone);
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
            Ok(CloseReason::CutOff | CloseReason::Reset) | Err(_) => {}
        }
    }
}

/// Shows what came and what goes out since the last look to those who watch. Datagrams come only
/// when none is waiting, so all of them are new.
#[cold]
#[inline(never)]
fn show(
    wire: &DatagramWire,
    watch: &Watch,
    orders: &Orders,
    handle: &ConnectionHandle,
    shown_bytes: &mut u64,
) {
    // If there was one: while the connection waits there is none.
    watch.end_call();
    let received_bytes = handle.traffic().received_bytes;
    if std::mem::replace(shown_bytes, received_bytes) != received_bytes {
        for datagram in wire.input.iter() {
            watch.tell(handle, Seen::FromClient(datagram));
        }
    }
    for datagram in wire.new_output() {
        watch.tell(handle, Seen::ToClient(datagram));
    }
    ordered(watch, orders, handle);
}

#[cfg(test)]
mod tests;
