//! What the loop around a stream does for few messages: those with orders, and all if it has an
//! observer.

use super::ConnectionError;
use super::foreign::Foreign;
use super::machine::ByteWire;
use super::observer::Observer;
use super::session::Connection;
use super::start_tls::StartTls;
use crate::handle::{ConnectionHandle, Lost};
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};

impl<S, W, T> Connection<'_, S, W, T>
where
    S: AsyncRead + AsyncWrite + Unpin,
    W: ByteWire,
    T: StartTls<S>,
{
    /// Most replies come without orders.
    #[inline(never)]
    pub(super) fn obey(&mut self) -> Result<(), Lost> {
        let (machine, alarm, handle) = (&mut self.machine, &self.alarm, &self.handle);
        let mut obeyed = Ok(());
        handle.collect(|orders| {
            if orders.watch.is_some() {
                let observer = self.observer.get_or_insert_default();
                observer.look_at_orders(orders, &mut machine.wire, handle);
                self.looks_at_reads = true;
            }
            obeyed = machine.obey(orders, || alarm.now());
        });
        obeyed
    }

    /// Looks at what was read: first, and always if the connection is watched.
    #[cold]
    #[inline(never)]
    pub(super) fn look_at_read(&mut self, read: usize) {
        let input = self.machine.wire.input();
        if !std::mem::replace(&mut self.has_read, true)
            && let Some(foreign) = Foreign::of(input, &self.handle)
        {
            self.observer.get_or_insert_default().foreign = Some(foreign);
        }
        let new = input.len() - read;
        let observer = self.observer.as_mut();
        if let Some(observer) = observer.filter(|it| it.is_watching()) {
            observer.read(&input[new..], &self.handle);
        }
        self.rest_observer();
    }

    /// The client sends no more.
    #[cold]
    #[inline(never)]
    pub(super) fn look_at_end(&mut self) {
        if let Some(observer) = &mut self.observer {
            observer.finished(&self.handle);
        }
    }

    /// Takes the reply of a call, and carries out its orders.
    #[cold]
    #[inline(never)]
    pub(super) fn called_observed(&mut self, reply: Option<Bytes>) -> Result<(), ConnectionError> {
        if let Some(observer) = &mut self.observer {
            observer.called(reply.as_ref(), &self.handle);
        }
        self.take_reply(reply)?;
        if let Some(observer) = &mut self.observer
            && let reply = self.machine.wire.chunk()
            && !reply.is_empty()
            && let Some(foreign) = observer.foreign.take()
        {
            foreign.tell(reply, &self.handle);
        }
        self.rest_observer();
        Ok(())
    }

    /// Reads are looked at only as long as it has a reason.
    fn rest_observer(&mut self) {
        let is_watched = self.observer.as_ref().is_some_and(|it| it.is_watching());
        self.looks_at_reads = is_watched;
        self.observer.take_if(|it| it.is_done());
    }
}

impl Observer {
    /// What the client has spoken until the end, without any reply.
    pub(super) fn tell_unanswered(self, connection: &ConnectionHandle) {
        if let Some(foreign) = self.foreign {
            foreign.tell(&[], connection);
        }
    }
}
