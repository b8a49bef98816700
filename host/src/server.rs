//! The server: accepts on every listener, serves each connection in a task of its own, and drains.

use crate::connection::{self, ConnectionError, Traffic};
use crate::framing::Framing;
use crate::handler::Handler;
use crate::limits::{ConnectionLimits, ServerLimits};
use crate::listener::Listener;
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
            handler: self.handler,
            framing: self.framing,
            limits: self.connection_limits,
            connections: TaskTracker::new(),
            cut: CancellationToken::new(),
            next_id: AtomicU64::new(1),
        });
        let free = Arc::new(Semaphore::new(self.limits.max_connections));
        let accepting = TaskTracker::new();
        let stopping = CancellationToken::new();
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

/// What the tasks of one server have in common.
struct Shared<H> {
    handler: H,
    framing: Framing,
    limits: ConnectionLimits,
    connections: TaskTracker,
    /// Cancelled when the drain timeout has run out.
    cut: CancellationToken,
    next_id: AtomicU64,
}

impl<H: Handler> Shared<H> {
    async fn accept(self: Arc<Self>, listener: Listener, free: Arc<Semaphore>) {
        loop {
            let (stream, peer) = listener.accept().await;
            let permit = wait_for_place(&free, &listener).await;
            let id = self.next_id.fetch_add(1, Ordering::Relaxed);
            let span = tracing::error_span!("connection", id, %peer);
            let task = self.clone().serve(stream, peer, permit).instrument(span);
            self.connections.spawn(task);
        }
    }

    async fn serve(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        permit: OwnedSemaphorePermit,
    ) {
        tracing::debug!("{peer} connected");
        // Replies are complete when they are written: waiting to join them (RFC 896) only delays.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("cannot set TCP_NODELAY: {error}");
        }
        let responder = self.handler.responder();
        let served = connection::serve(stream, responder, self.framing.clone(), &self.limits);
        match self.cut.run_until_cancelled(served).await {
            Some((traffic, result)) => log_end(traffic, result),
            None => tracing::warn!("cut: still open at the end of the drain (--drain-timeout)"),
        }
        drop(permit);
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

fn log_end(traffic: Traffic, result: Result<(), ConnectionError>) {
    let Traffic {
        received_bytes,
        sent_bytes,
        messages,
    } = traffic;
    match result {
        Ok(()) => tracing::debug!(received_bytes, sent_bytes, messages, "closed"),
        Err(error @ (ConnectionError::Framing(_) | ConnectionError::Call(_))) => {
            tracing::warn!(received_bytes, sent_bytes, messages, "closed: {error}");
        }
        Err(ConnectionError::Io(error)) if is_departure(&error) => {
            tracing::debug!(
                received_bytes,
                sent_bytes,
                messages,
                "the client left: {error}"
            );
        }
        Err(error) => tracing::info!(received_bytes, sent_bytes, messages, "closed: {error}"),
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
