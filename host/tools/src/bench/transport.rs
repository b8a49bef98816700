//! The transport of one connection.

use super::Plan;
use super::message::Messages;
use crate::client::{WebSocketStream, datagrams};
use address::Endpoint;
use server::upgrade;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout, timeout_at};

/// How long a trial datagram waits for a reply before it is repeated.
const REPEAT_EVERY: Duration = Duration::from_millis(250);

pub enum Transport {
    Stream(TcpStream),
    /// Its own UDP socket: each message is a datagram.
    Datagrams(UdpSocket),
    /// Each message is a message.
    WebSocket(Box<WebSocketStream<TcpStream>>),
}

impl Transport {
    /// Connects to the server of `plan` at this address, within the time limit.
    pub async fn open(plan: &Plan, address: SocketAddr) -> io::Result<Self> {
        if let Endpoint::Udp(_) = plan.endpoint {
            return Ok(Transport::Datagrams(datagrams::connect_to(address).await?));
        }
        let stream = timeout(plan.timeout, TcpStream::connect(address)).await??;
        // A message delayed by Nagle's algorithm would be measured as slow.
        stream.set_nodelay(true)?;
        let Some(web) = plan.endpoint.web() else {
            return Ok(Transport::Stream(stream));
        };
        let socket = timeout(plan.timeout, upgrade::open(stream, web)).await??;
        Ok(Transport::WebSocket(Box::new(socket)))
    }

    /// Checks that the server is there. Over UDP, this needs a reply, whatever it is.
    pub async fn try_out(&self, plan: &Plan) -> io::Result<()> {
        let Transport::Datagrams(socket) = self else {
            return Ok(());
        };
        let mut messages = Messages::new(plan.shape, plan.message_bytes, 1);
        let deadline = Instant::now() + plan.timeout;
        loop {
            // Not a connection number of the load.
            socket.send(messages.make(u32::MAX, 0, 1)).await?;
            let repeat = deadline.min(Instant::now() + REPEAT_EVERY);
            match timeout_at(repeat, socket.recv(&mut [0])).await {
                Ok(received) => return received.map(drop),
                Err(late) if repeat == deadline => return Err(late.into()),
                Err(_) => {}
            }
        }
    }

    pub fn is_datagrams(&self) -> bool {
        matches!(self, Transport::Datagrams(_))
    }

    /// Writes some of `messages`, each of this length, the first perhaps partly written. Returns
    /// the bytes written: one message for a datagram or a WebSocket.
    pub fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        messages: &[u8],
        message_bytes: usize,
    ) -> Poll<io::Result<usize>> {
        match self {
            Transport::Stream(stream) => Pin::new(stream).poll_write(cx, messages),
            Transport::Datagrams(socket) => socket.poll_send(cx, &messages[..message_bytes]),
            Transport::WebSocket(socket) => {
                Pin::new(socket).poll_write(cx, &messages[..message_bytes])
            }
        }
    }

    /// Reads available bytes, at most one datagram.
    pub fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        received: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Transport::Stream(stream) => Pin::new(stream).poll_read(cx, received),
            Transport::Datagrams(socket) => socket.poll_recv(cx, received),
            Transport::WebSocket(socket) => Pin::new(socket).poll_read(cx, received),
        }
    }
}
