//! What carries the messages of one connection.

use super::Plan;
use super::message::Messages;
use crate::client::datagrams;
use connection::address::Endpoint;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout, timeout_at};

/// How long a datagram that is to show whether a server is there may stay unanswered before it is repeated.
const REPEAT_EVERY: Duration = Duration::from_millis(250);

/// What carries the messages of one connection.
pub enum Wire {
    /// A TCP connection.
    Stream(TcpStream),
    /// A UDP socket of its own: each message is a datagram.
    Datagrams(UdpSocket),
}

impl Wire {
    /// Opens one to the server of `plan` at this address of it, within the plan's time.
    pub async fn open(plan: &Plan, address: SocketAddr) -> io::Result<Self> {
        if let Endpoint::Udp(_) = plan.endpoint {
            return Ok(Wire::Datagrams(datagrams::connect_to(address).await?));
        }
        let stream = timeout(plan.timeout, TcpStream::connect(address))
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        // A message that waits to be joined by another would be measured as slow.
        stream.set_nodelay(true)?;
        Ok(Wire::Stream(stream))
    }

    /// Makes sure that somebody is at the other end. Where connecting does not tell, something has to be
    /// answered, whatever the answer.
    pub async fn try_out(&self, plan: &Plan) -> io::Result<()> {
        let Wire::Datagrams(socket) = self else {
            return Ok(());
        };
        let mut messages = Messages::new(plan.shape, plan.message_bytes, 1);
        let deadline = Instant::now() + plan.timeout;
        loop {
            // No connection of the load has this number.
            socket.send(messages.make(u32::MAX, 0, 1)).await?;
            let repeat = deadline.min(Instant::now() + REPEAT_EVERY);
            match timeout_at(repeat, socket.recv(&mut [0])).await {
                Ok(received) => return received.map(drop),
                Err(_) if repeat == deadline => return Err(io::ErrorKind::TimedOut.into()),
                Err(_) => {}
            }
        }
    }

    pub fn is_datagrams(&self) -> bool {
        matches!(self, Wire::Datagrams(_))
    }

    /// Writes some of `messages`, of which each has so many bytes and the first may have been begun, and returns
    /// how many bytes: one message, where that is a datagram.
    pub fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        messages: &[u8],
        message_bytes: usize,
    ) -> Poll<io::Result<usize>> {
        match self {
            Wire::Stream(stream) => Pin::new(stream).poll_write(cx, messages),
            Wire::Datagrams(socket) => socket.poll_send(cx, &messages[..message_bytes]),
        }
    }

    /// Reads what there is, up to one datagram.
    pub fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        received: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Wire::Stream(stream) => Pin::new(stream).poll_read(cx, received),
            Wire::Datagrams(socket) => socket.poll_recv(cx, received),
        }
    }
}
