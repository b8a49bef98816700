//! The server: accepts on every listener, serves each connection in a task of its own, and drains.

use crate::connection::{self, ConnectionError, Ending, Terms, Traffic};
use crate::framing::Framing;
use crate::handler::{Handler, Service, SessionError};
use crate::limits::{ConnectionLimits, ServerLimits};
use crate::listener::Listener;
use crate::outbox::{Outbox, Peer, Transport};
use socket2::SockRef;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// Everything a server needs, bound and loaded.
pub struct Server<H> {
    /// Computes the replies.
    pub handler: H,
    /// How messages are cut out of what clients send.
    pub framing: Framing,
    /// Where clients come from.
    pub listeners: Vec<Listener>,
    /// What one connection may use.
    pub connection_limits: ConnectionLimits,
    /// What all of them together may use.
    pub limits: ServerLimits,
}

/// How a server ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were still open when the drain timeout ran out, and were cut.
    pub cut: usize,
}

impl<H: Handler> Server<H> {
    /// Serves until `stop` completes, then stops accepting and waits for open connections, for as
    /// long as the drain timeout allows.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Drained {
        let listeners = self.listeners;
        let shared = Arc::new(Shared {
            terms: Terms {
                framing: self.framing,
                limits: self.connection_limits,
                converses: self.handler.converses(),
                stopping: CancellationToken::new(),
            },
            handler: self.handler,
            ends: Ends::default(),
            connections: TaskTracker::new(),
            cut: CancellationToken::new(),
            next_id: AtomicU64::new(1),
        });
        let free = Arc::new(Semaphore::new(self.limits.max_connections));
        let accepting = TaskTracker::new();
        let stopping = shared.terms.stopping.clone();
        for listener in listeners {
            let accept = shared.clone().accept(listener, free.clone());
            let stopping = stopping.clone();
            accepting.spawn(async move { stopping.run_until_cancelled(accept).await });
        }

        stop.await;
        stopping.cancel();
        accepting.close();
        accepting.wait().await;
        shared.drain(self.limits.drain_timeout).await
    }
}

/// A client that was accepted and has its place.
struct Client {
    id: u64,
    stream: TcpStream,
    peer: SocketAddr,
    listener: Arc<str>,
    permit: OwnedSemaphorePermit,
}

/// What the tasks of one server have in common.
struct Shared<H> {
    handler: H,
    terms: Terms,
    ends: Ends,
    connections: TaskTracker,
    /// Cancelled when the drain timeout has run out.
    cut: CancellationToken,
    next_id: AtomicU64,
}

impl<H: Handler> Shared<H> {
    async fn accept(self: Arc<Self>, listener: Listener, free: Arc<Semaphore>) {
        let uri: Arc<str> = listener.endpoint().to_string().into();
        loop {
            let (stream, peer) = listener.accept().await;
            let permit = wait_for_place(&free, &listener).await;
            let id = self.next_id.fetch_add(1, Ordering::Relaxed);
            let span = tracing::error_span!("connection", id, %peer);
            let client = Client {
                id,
                stream,
                peer,
                listener: uri.clone(),
                permit,
            };
            self.connections
                .spawn(self.clone().serve(client).instrument(span));
        }
    }

    async fn serve(self: Arc<Self>, client: Client) {
        match self.cut.run_until_cancelled(self.converse(client)).await {
            Some((traffic, result)) => self.ends.note(traffic, result),
            None => tracing::warn!("cut: still open at the end of the drain (--drain-timeout)"),
        }
    }

    async fn converse(&self, client: Client) -> (Traffic, Result<Ending, ConnectionError>) {
        let Client {
            id,
            mut stream,
            peer,
            listener,
            permit,
        } = client;
        tracing::debug!("connected");
        // Replies are complete when they are written: waiting to join them (RFC 896) only delays.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("cannot set TCP_NODELAY: {error}");
        }
        let local = match stream.local_addr() {
            Ok(local) => local,
            Err(error) => return (Traffic::default(), Err(error.into())),
        };
        let peer = Peer {
            transport: Transport::Tcp,
            peer: peer.to_string(),
            local: local.to_string(),
            listener,
        };
        let limit = match self.terms.converses {
            true => self.terms.limits.max_unsent_bytes,
            // One that only answers is bounded by reading no further until it is read.
            false => usize::MAX,
        };
        let outbox = Arc::new(Outbox::new(id, peer, limit));
        let served = match self.handler.serve(&outbox) {
            Service::Session(session) => {
                connection::serve(&mut stream, session, outbox, &self.terms).await
            }
            Service::Program(program) => {
                connection::serve_program(&mut stream, program, &self.terms).await
            }
        };
        if let Ok(Ending::Reset) = served.1 {
            // Zero linger makes closing a reset. If it can't be set, closing has to do.
            let _ = SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO));
        }
        drop(stream);
        drop(permit);
        served
    }

    async fn drain(&self, limit: std::time::Duration) -> Drained {
        self.connections.close();
        if !self.connections.is_empty() {
            let open = self.connections.len();
            tracing::info!("stopping: {open} connections may finish within {limit:?}");
        }
        let in_time = tokio::time::timeout(limit, self.connections.wait()).await;
        let cut = match in_time {
            Ok(()) => 0,
            Err(_) => self.connections.len(),
        };
        self.cut.cancel();
        self.connections.wait().await;
        self.ends.log();
        Drained { cut }
    }
}

async fn wait_for_place(free: &Arc<Semaphore>, listener: &Listener) -> OwnedSemaphorePermit {
    if let Ok(permit) = free.clone().try_acquire_owned() {
        return permit;
    }
    tracing::warn!(
        listener = %listener.endpoint(),
        "the connection limit is reached (--max-connections): new clients wait"
    );
    match free.clone().acquire_owned().await {
        Ok(permit) => permit,
        // Only a closed semaphore fails, and nobody closes this one.
        Err(_) => std::future::pending().await,
    }
}

/// How connections ended, counted.
#[derive(Default)]
struct Ends {
    connections: AtomicU64,
    framing: AtomicU64,
    protocol: AtomicU64,
    refused: AtomicU64,
    internal: AtomicU64,
    calls: AtomicU64,
    lost: AtomicU64,
}

impl Ends {
    fn note(&self, traffic: Traffic, result: Result<Ending, ConnectionError>) {
        let Traffic {
            received_bytes,
            sent_bytes,
            messages,
        } = traffic;
        self.connections.fetch_add(1, Ordering::Relaxed);
        let Err(error) = result else {
            tracing::debug!(received_bytes, sent_bytes, messages, "closed");
            return;
        };
        match (self.counter(&error), &error) {
            (Some(counter), _) => {
                counter.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(received_bytes, sent_bytes, messages, "closed: {error}");
            }
            (None, ConnectionError::Io(error)) if is_departure(error) => {
                tracing::debug!(
                    received_bytes,
                    sent_bytes,
                    messages,
                    "the client left: {error}"
                );
            }
            (None, _) => tracing::info!(received_bytes, sent_bytes, messages, "closed: {error}"),
        }
    }

    /// The counter of an error that says something about the handler or its clients.
    fn counter(&self, error: &ConnectionError) -> Option<&AtomicU64> {
        match error {
            ConnectionError::Framing(_) => Some(&self.framing),
            ConnectionError::Session(SessionError::Protocol(_)) => Some(&self.protocol),
            ConnectionError::Session(SessionError::Refused(_)) => Some(&self.refused),
            ConnectionError::Session(SessionError::Internal(_)) => Some(&self.internal),
            ConnectionError::Session(SessionError::Call(_)) => Some(&self.calls),
            ConnectionError::Lost(_) => Some(&self.lost),
            ConnectionError::Idle(_) | ConnectionError::Io(_) => None,
        }
    }

    fn log(&self) {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        tracing::info!(
            connections = count(&self.connections),
            broken_framing = count(&self.framing),
            broken_protocol = count(&self.protocol),
            refused = count(&self.refused),
            failures = count(&self.internal),
            failed_calls = count(&self.calls),
            lost = count(&self.lost),
            "served"
        );
    }
}

/// Whether an error is how a client's sudden leave looks, which is its right.
fn is_departure(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::NotConnected
            | io::ErrorKind::ConnectionAborted
    )
}
