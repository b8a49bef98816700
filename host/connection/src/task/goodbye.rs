//! The end of a connection: what the client still receives, depending on the reason.

use super::linger::linger;
use super::session::Connection;
use super::{CloseReason, ConnectionError};
use crate::handler::SessionError;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<'_, S> {
    /// Sends the client what it should still receive, depending on how the connection ended.
    pub(super) async fn say_goodbye(
        &mut self,
        result: &Result<CloseReason, ConnectionError>,
    ) -> Result<(), ConnectionError> {
        match result {
            Ok(CloseReason::Finished) if self.client_finished => {
                self.drain_output().await?;
                Ok(self.stream.shutdown().await?)
            }
            Err(ConnectionError::Session(SessionError::Internal(_) | SessionError::Call(_)))
                if self.converses =>
            {
                // Right away: what was sent before may leave if the kernel takes it without
                // waiting.
                poll_fn(|cx| {
                    let _ = self.output.poll_write(self.stream, cx);
                    Poll::Ready(())
                })
                .await;
                Ok(())
            }
            Ok(CloseReason::Finished)
            | Err(ConnectionError::Framing(_) | ConnectionError::Session(_)) => {
                self.close_early().await
            }
            // Nothing is pending, so the client may learn that this is the end: TLS has
            // `close_notify`.
            Err(ConnectionError::Idle(_)) if self.output.is_written() => {
                shut_down_at_once(self.stream).await;
                Ok(())
            }
            Ok(CloseReason::Reset) | Err(_) => Ok(()),
        }
    }

    /// Waits until everything is written.
    async fn drain_output(&mut self) -> Result<(), ConnectionError> {
        poll_fn(|cx| {
            let (moved, written) = self.output.poll_write(self.stream, cx);
            if let Poll::Ready(written) = written {
                return Poll::Ready(written.map_err(Into::into));
            }
            let Some(idle) = &mut self.idle else {
                return Poll::Pending;
            };
            if moved {
                idle.touch();
            }
            ready!(idle.poll_expired(cx));
            Poll::Ready(Err(ConnectionError::Idle(idle.limit)))
        })
        .await
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
