//! The end of a connection: what the client still receives, depending on the reason.

use super::close_code;
use super::linger::linger;
use super::machine::{ByteWire, InputState};
use super::session::Connection;
use super::start_tls::StartTls;
use super::{CloseReason, ConnectionError};
use crate::handler::SessionError;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

impl<S, W, T> Connection<'_, S, W, T>
where
    S: AsyncRead + AsyncWrite + Unpin,
    W: ByteWire,
    T: StartTls<S>,
{
    /// Sends the client what it should still receive, depending on how the connection ended.
    pub(super) async fn say_goodbye(
        &mut self,
        result: &Result<CloseReason, ConnectionError>,
    ) -> Result<(), ConnectionError> {
        let was_written = self.machine.wire.is_written();
        self.tell_why(result);
        match result {
            Ok(CloseReason::Finished | CloseReason::CutOff)
                if self.machine.wire.input_state() != InputState::Open =>
            {
                self.drain_output().await?;
                Ok(self.stream.shutdown().await?)
            }
            Err(ConnectionError::Session(SessionError::Internal(_) | SessionError::Call(_)))
                if self.converses =>
            {
                // Right away: what was sent before may leave if the kernel takes it without
                // waiting.
                self.write_at_once().await;
                Ok(())
            }
            Ok(CloseReason::Finished | CloseReason::CutOff)
            | Err(ConnectionError::Framing(_) | ConnectionError::Session(_)) => {
                self.close_early().await
            }
            // Nothing is pending, so the client may learn that this is the end: TLS has
            // `close_notify`.
            Err(ConnectionError::Idle(_)) if was_written => {
                self.write_at_once().await;
                shut_down_at_once(self.stream).await;
                Ok(())
            }
            Err(ConnectionError::Lost(_)) if was_written => {
                self.write_at_once().await;
                Ok(())
            }
            Ok(CloseReason::Reset) | Err(_) => Ok(()),
        }
    }

    /// Puts what the protocol has for this end, such as a close frame, behind what was sent.
    fn tell_why(&mut self, result: &Result<CloseReason, ConnectionError>) {
        if let Some(code) = close_code::of(result, self.machine.is_stopping()) {
            let reason = match result {
                Err(ConnectionError::Framing(error)) => error.to_string(),
                _ => String::new(),
            };
            self.machine.wire.close(code, &reason);
        }
    }

    /// Writes what the kernel takes without waiting.
    async fn write_at_once(&mut self) {
        poll_fn(|cx| {
            let _ = self.poll_write(cx);
            Poll::Ready(())
        })
        .await;
    }

    /// Waits until everything is written, each time at most the idle timeout.
    async fn drain_output(&mut self) -> Result<(), ConnectionError> {
        let limit = self.handle.idle_timeout();
        while !self.machine.wire.is_written() {
            let writing = poll_fn(|cx| match self.poll_write(cx) {
                (false, Poll::Pending) => Poll::Pending,
                (_, Poll::Ready(Err(error))) => Poll::Ready(Err(error)),
                _ => Poll::Ready(Ok(())),
            });
            match limit {
                Duration::MAX => writing.await?,
                _ => timeout(limit, writing)
                    .await
                    .map_err(|_| ConnectionError::Idle(limit))??,
            }
        }
        Ok(())
    }

    /// Closes a connection whose client may still be sending: writes pending replies, sends FIN,
    /// then discards input for a while.
    async fn close_early(&mut self) -> Result<(), ConnectionError> {
        self.drain_output().await?;
        self.stream.shutdown().await?;
        linger(self.stream).await;
        Ok(())
    }
}

/// Shuts down sending, if the kernel does it without waiting.
pub(super) async fn shut_down_at_once(stream: &mut (impl AsyncWrite + Unpin)) {
    poll_fn(|cx| {
        let _ = Pin::new(&mut *stream).poll_shutdown(cx);
        Poll::Ready(())
    })
    .await;
}
