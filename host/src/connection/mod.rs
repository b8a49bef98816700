//! One connection: reads, cuts messages, asks the responder, writes the replies in order.
//!
//! Everything happens in one task, so that order and back-pressure need no channels. Reading and writing
//! go on side by side, and what earlier messages were answered goes out while the guest still computes.

mod idle;
#[cfg(test)]
mod tests;

use crate::framing::{Decoder, Framing, FramingError};
use crate::handler::{CallError, Responder};
use crate::limits::{ConnectionLimits, LINGER_BYTES, LINGER_TIME, MAX_UNSENT_BYTES, READ_BYTES};
use bytes::{Buf, Bytes, BytesMut};
use idle::IdleTimer;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_util::io::poll_read_buf;

/// How much went through a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes read from the client.
    pub received_bytes: u64,
    /// Bytes written to the client.
    pub sent_bytes: u64,
    /// Messages answered.
    pub messages: u64,
}

/// Why a connection ended other than by its client's wish.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    #[error("the client broke the framing: {0}")]
    Framing(#[from] FramingError),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("no byte moved for {0:?} (--idle-timeout)")]
    Idle(Duration),
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
}

/// Serves one client until it has finished sending and has all its replies.
///
/// After a framing or call error the replies to earlier messages are still written.
pub async fn serve<S, R>(
    stream: S,
    responder: R,
    framing: Framing,
    limits: &ConnectionLimits,
) -> (Traffic, Result<(), ConnectionError>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    R: Responder,
{
    let mut connection = Connection {
        stream,
        responder,
        decoder: Decoder::new(framing, limits.max_message_bytes),
        input: BytesMut::new(),
        client_finished: false,
        output: BytesMut::new(),
        flushed: true,
        idle: limits.idle_timeout.map(IdleTimer::new),
        traffic: Traffic::default(),
    };
    let mut result = connection.run().await;
    if let Err(ConnectionError::Framing(_) | ConnectionError::Call(_)) = &result {
        // The reason it ends is the first error, not what goes wrong while saying goodbye.
        let _ = connection.close_early().await;
    } else if result.is_ok() {
        result = connection.stream.shutdown().await.map_err(Into::into);
    }
    (connection.traffic, result)
}

struct Connection<S, R> {
    stream: S,
    responder: R,
    decoder: Decoder,
    /// What was read and is not answered yet: at most one unfinished message and one read.
    input: BytesMut,
    client_finished: bool,
    /// Replies that are not written yet: at most `MAX_UNSENT_BYTES` and one reply.
    output: BytesMut,
    /// Whether what was written has left the stream's own buffers (TLS has some).
    flushed: bool,
    idle: Option<IdleTimer>,
    traffic: Traffic,
}

impl<S, R> Connection<S, R>
where
    S: AsyncRead + AsyncWrite + Unpin,
    R: Responder,
{
    async fn run(&mut self) -> Result<(), ConnectionError> {
        while !self.client_finished && self.input.is_empty() {
            self.transfer(true).await?;
        }
        if !self.input.is_empty() {
            self.responder.open().await?;
        }
        loop {
            let answered = self.answer().await?;
            if answered && self.client_finished {
                return self.drain_output().await;
            }
            self.transfer(answered && !self.client_finished).await?;
        }
    }

    /// Answers messages until there is none left, which returns true, or until enough replies wait
    /// to be written.
    async fn answer(&mut self) -> Result<bool, ConnectionError> {
        while self.output.len() < MAX_UNSENT_BYTES {
            let Some(message) = self.next_message()? else {
                return Ok(true);
            };
            let reply = self.respond(message).await?;
            self.traffic.messages += 1;
            self.output.extend_from_slice(&reply);
        }
        Ok(false)
    }

    fn next_message(&mut self) -> Result<Option<Bytes>, FramingError> {
        match self.decoder.next(&mut self.input)? {
            None if self.client_finished => self.decoder.finish(&mut self.input),
            message => Ok(message),
        }
    }

    /// Calls the responder, and writes earlier replies whenever it makes us wait.
    async fn respond(&mut self, message: Bytes) -> Result<Bytes, ConnectionError> {
        let mut call = pin!(self.responder.respond(message));
        let mut writer = Writer {
            stream: &mut self.stream,
            output: &mut self.output,
            flushed: &mut self.flushed,
            sent_bytes: &mut self.traffic.sent_bytes,
        };
        poll_fn(|cx| {
            if let Poll::Ready(reply) = call.as_mut().poll(cx) {
                return Poll::Ready(reply.map_err(Into::into));
            }
            while writer.has_work() {
                ready!(writer.poll_write(cx))?;
            }
            Poll::Pending
        })
        .await
    }

    /// Waits until bytes have moved: out if there are any, and in if `may_read`.
    async fn transfer(&mut self, may_read: bool) -> Result<(), ConnectionError> {
        poll_fn(|cx| self.poll_transfer(cx, may_read)).await
    }

    fn poll_transfer(
        &mut self,
        cx: &mut Context<'_>,
        may_read: bool,
    ) -> Poll<Result<(), ConnectionError>> {
        let mut moved = false;
        let mut writer = Writer {
            stream: &mut self.stream,
            output: &mut self.output,
            flushed: &mut self.flushed,
            sent_bytes: &mut self.traffic.sent_bytes,
        };
        while writer.has_work() {
            let Poll::Ready(written) = writer.poll_write(cx)? else {
                break;
            };
            moved |= written > 0;
        }
        if may_read {
            self.input.reserve(READ_BYTES);
            if let Poll::Ready(read) =
                poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.input)?
            {
                self.client_finished = read == 0;
                self.traffic.received_bytes += read as u64;
                moved = true;
            }
        }
        let Some(idle) = &mut self.idle else {
            return if moved {
                Poll::Ready(Ok(()))
            } else {
                Poll::Pending
            };
        };
        if moved {
            idle.touch();
            return Poll::Ready(Ok(()));
        }
        ready!(idle.poll_expired(cx));
        Poll::Ready(Err(ConnectionError::Idle(idle.limit)))
    }

    /// Waits until all replies are written.
    async fn drain_output(&mut self) -> Result<(), ConnectionError> {
        while !(self.output.is_empty() && self.flushed) {
            self.transfer(false).await?;
        }
        Ok(())
    }

    /// Ends a connection whose client may still be sending: writes what is owed, then says FIN, then
    /// discards input for a while.
    async fn close_early(&mut self) -> Result<(), ConnectionError> {
        self.drain_output().await?;
        self.stream.shutdown().await?;
        let mut discarded = 0;
        let discard = async {
            while discarded < LINGER_BYTES {
                self.input.clear();
                match self.stream.read_buf(&mut self.input).await {
                    Ok(read @ 1..) => discarded += read,
                    Ok(0) | Err(_) => break,
                }
            }
        };
        let _ = timeout(LINGER_TIME, discard).await;
        Ok(())
    }
}

/// The writing half of a connection, apart so that it can work while the responder is borrowed.
struct Writer<'a, S> {
    stream: &'a mut S,
    output: &'a mut BytesMut,
    flushed: &'a mut bool,
    sent_bytes: &'a mut u64,
}

impl<S: AsyncWrite + Unpin> Writer<'_, S> {
    fn has_work(&self) -> bool {
        !self.output.is_empty() || !*self.flushed
    }

    /// Writes once, or flushes when all is written. Ready with the number of bytes written.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let stream = Pin::new(&mut *self.stream);
        if self.output.is_empty() {
            ready!(stream.poll_flush(cx))?;
            *self.flushed = true;
            return Poll::Ready(Ok(0));
        }
        let written = ready!(stream.poll_write(cx, self.output))?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.output.advance(written);
        *self.flushed = false;
        *self.sent_bytes += written as u64;
        Poll::Ready(Ok(written))
    }
}
