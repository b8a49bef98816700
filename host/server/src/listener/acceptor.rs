//! Accepts the clients of a listener in one runtime. Errors never end it.

use super::{Accepted, Listener, ListeningSocket, stdio};
use crate::stream::Stream;
use address::Endpoint;
use connection::limits::{ACCEPT_BACK_OFF, Limit, MAX_ACCEPT_ERROR_LINES_PER_SECOND};
use connection::rates::LogRateLimiter;
use std::future::pending;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::net::{TcpListener, UnixListener};

/// Each worker tries by itself.
static FAILED: LogRateLimiter<MAX_ACCEPT_ERROR_LINES_PER_SECOND> = LogRateLimiter::new();

/// The accepting end of a listener, which stays open as long. Any number of them share the clients
/// of a listener.
#[derive(Debug)]
pub struct Acceptor {
    socket: Arc<ListeningSocket>,
    endpoint: Endpoint,
    registered: Option<Registered>,
}

/// A duplicate of the socket that the runtime knows, if there is something to know.
#[derive(Debug)]
enum Registered {
    Tcp(TcpListener),
    Unix(UnixListener),
    Stdio,
    Datagrams,
}

impl Listener {
    /// Accepts its clients in the current runtime.
    pub fn acceptor(&self) -> Acceptor {
        Acceptor {
            socket: self.socket.clone(),
            endpoint: self.endpoint.clone(),
            // If it fails, accepting tries again, and tells.
            registered: Registered::new(&self.socket).ok(),
        }
    }
}

impl Acceptor {
    /// The next client, or `None` after the last one. Errors are logged and survived: one about a
    /// single connection is skipped, and a lack of descriptors or memory is waited out. Never
    /// completes for [datagrams](Listener::datagrams).
    pub async fn accept(&mut self) -> Option<Accepted> {
        let mut wait = ACCEPT_BACK_OFF.0;
        loop {
            match self.try_accept().await {
                Ok(accepted) => return accepted,
                Err(error) if concerns_one_connection(&error) => {
                    tracing::debug!(listener = %self.endpoint, "a client disconnected before it was accepted: {error}");
                }
                Err(error) => {
                    Limit::AcceptBackOff.reached();
                    if let Ok(left_out) = FAILED.admit() {
                        tracing::warn!(
                            listener = %self.endpoint, left_out,
                            "cannot accept, waiting {wait:?}: {error}"
                        );
                    }
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(ACCEPT_BACK_OFF.1);
                }
            }
        }
    }

    async fn try_accept(&mut self) -> io::Result<Option<Accepted>> {
        let registered = match self.registered.take() {
            Some(registered) => registered,
            None => Registered::new(&self.socket)?,
        };
        let (stream, client) = match self.registered.insert(registered) {
            Registered::Tcp(listener) => {
                let (stream, client) = listener.accept().await?;
                (Stream::Tcp(stream), Some(client))
            }
            Registered::Unix(listener) => (Stream::Unix(listener.accept().await?.0), None),
            Registered::Stdio => match &*self.socket {
                ListeningSocket::Stdio(accepted) if !accepted.load(Ordering::Relaxed) => {
                    let stream = stdio::stream()?;
                    accepted.store(true, Ordering::Relaxed);
                    stream
                }
                _ => return Ok(None),
            },
            Registered::Datagrams => return pending().await,
        };
        Ok(Some(Accepted { stream, client }))
    }
}

impl Registered {
    fn new(socket: &ListeningSocket) -> io::Result<Self> {
        Ok(match socket {
            ListeningSocket::Tcp(socket) => {
                Registered::Tcp(TcpListener::from_std(socket.try_clone()?.into())?)
            }
            ListeningSocket::Unix(unix) => {
                Registered::Unix(UnixListener::from_std(unix.socket.try_clone()?.into())?)
            }
            ListeningSocket::Stdio(_) => Registered::Stdio,
            ListeningSocket::Udp(socket) => {
                socket.register()?;
                Registered::Datagrams
            }
        })
    }
}

fn concerns_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
