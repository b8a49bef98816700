//! Moves the bytes of a connection, and waits for the next thing to do.

use super::ConnectionError;
use super::session::Connection;
use crate::limits::HIGH_WATER_BYTES;
use crate::rates::Throttle;
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite};

/// What a connection read and wrote.
struct Moved {
    wrote: bool,
    read: bool,
    /// Whether only a rate limit prevents reading.
    throttled: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<'_, S> {
    /// Waits until bytes move, orders arrive, a timer expires or the host stops.
    pub(super) async fn transfer(&mut self) -> Result<(), ConnectionError> {
        poll_fn(|cx| self.poll_transfer(cx)).await
    }

    fn poll_transfer(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ConnectionError>> {
        // Nothing else depends on written bytes.
        let waits_for_room =
            self.eof_told || self.congested || self.output.bytes.len() >= HIGH_WATER_BYTES;
        let moved = self.poll_move(cx)?;
        if (moved.wrote || moved.read)
            && let Some(idle) = &mut self.idle
        {
            idle.touch();
        }
        if moved.read || (moved.wrote && waits_for_room) || self.poll_happened(cx) {
            return Poll::Ready(Ok(()));
        }
        // A client that waits for a rate token is not idle.
        let pauses = |throttle: &Throttle| throttle.pauses_message();
        let waits = self.waiting.is_some() && self.throttle.as_ref().is_some_and(pauses);
        let Some(idle) = self.idle.as_mut().filter(|_| !waits && !moved.throttled) else {
            return Poll::Pending;
        };
        ready!(idle.poll_expired(cx));
        Poll::Ready(Err(ConnectionError::Idle(idle.limit)))
    }

    /// Writes pending output, and reads if the input can be handled.
    fn poll_move(&mut self, cx: &mut Context<'_>) -> io::Result<Moved> {
        let (wrote, written) = self.output.poll_write(self.stream, cx);
        if let Poll::Ready(written) = written {
            written?;
        }
        let mut moved = Moved {
            wrote,
            read: false,
            throttled: false,
        };
        if self.client_finished
            || self.output.bytes.len() >= HIGH_WATER_BYTES
            || self.waiting.is_some()
        {
            return Ok(moved);
        }
        if let Some(throttle) = &mut self.throttle
            && throttle.poll_reading(cx).is_pending()
        {
            moved.throttled = true;
            return Ok(moved);
        }
        let Poll::Ready(read) = self.input.poll_read(self.stream, cx) else {
            return Ok(moved);
        };
        let read = match read {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.cut_off = true;
                0
            }
            read => read?,
        };
        self.client_finished = read == 0;
        self.handle.note_received(read);
        if let Some(throttle) = &mut self.throttle {
            throttle.note_read(read);
        }
        moved.read = true;
        Ok(moved)
    }

    /// Whether anything other than bytes needs handling.
    fn poll_happened(&mut self, cx: &mut Context<'_>) -> bool {
        let ordered = self.handle.poll_ordered(cx).is_ready();
        if let Poll::Ready(id) = self.timers.poll_due(cx) {
            self.due = Some(id);
        }
        // A message that has its token may still wait until the client reads more.
        let has_room = !self.congested && self.output.bytes.len() < HIGH_WATER_BYTES;
        let may_go_on = match &mut self.throttle {
            Some(throttle) if self.waiting.is_some() => {
                throttle.poll_message(cx).is_ready() && has_room
            }
            _ => false,
        };
        ordered || self.due.is_some() || may_go_on
    }
}
