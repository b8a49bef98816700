//! The server: accepts on every listener, serves each connection in a task of its own, and drains.

mod ends;

pub use ends::{Ends, Totals};

use crate::connection::{self, ConnectionError, Ending};
use crate::generation::{Generations, MovingSession};
use crate::handler::{Handler, Service};
use crate::limits::ServerLimits;
use crate::listener::Listener;
use crate::outbox::{Outbox, Peer, Traffic, Transport};
use socket2::SockRef;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::Span;

/// Everything a server needs, bound and loaded.
pub struct Server<H> {
    /// Compute the replies.
    pub generations: Arc<Generations<H>>,
    /// Where clients come from.
    pub listeners: Vec<Listener>,
    /// Counts how connections end.
    pub ends: Arc<Ends>,
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
        let shared = Arc::new(Shared {
            generations: self.generations,
            stopping: CancellationToken::new(),
            ends: self.ends,
            free: Arc::new(Semaphore::new(self.limits.max_connections)),
            next_id: AtomicU64::new(1),
        });
        let mut accepting = JoinSet::new();
        for listener in self.listeners {
            accepting.spawn(shared.clone().accept(listener));
        }
        stop.await;
        shared.stopping.cancel();
        shared.generations.stop();
        let connections = accepting.join_all().await;
        let drained = drain(connections, self.limits.drain_timeout).await;
        shared.ends.log();
        drained
    }
}

/// A client that was accepted.
struct Client {
    id: u64,
    stream: TcpStream,
    peer: SocketAddr,
    listener: Arc<str>,
}

/// What the tasks of one server have in common.
struct Shared<H> {
    generations: Arc<Generations<H>>,
    /// Cancelled when nobody is to be accepted any more.
    stopping: CancellationToken,
    ends: Arc<Ends>,
    /// A permit for each connection that may be open.
    free: Arc<Semaphore>,
    next_id: AtomicU64,
}

impl<H: Handler> Shared<H> {
    /// Serves the clients of one listener until the server stops. Returns those that are still open.
    async fn accept(self: Arc<Self>, listener: Listener) -> JoinSet<()> {
        let uri: Arc<str> = listener.endpoint().to_string().into();
        let mut connections = JoinSet::new();
        while let Some((stream, peer)) = self.stopping.run_until_cancelled(listener.accept()).await
        {
            let client = Client {
                id: self.next_id.fetch_add(1, Ordering::Relaxed),
                stream,
                peer,
                listener: uri.clone(),
            };
            let place = wait_for_place(&self.free, &listener);
            let place = self.stopping.run_until_cancelled(place).await;
            connections.spawn(self.clone().serve(client, place));
            // Those that have ended since the last one came.
            while connections.try_join_next().is_some() {}
        }
        connections
    }

    /// Serves a client in its place, for which it still has to wait if the server was stopped meanwhile: the
    /// kernel has told it that it is connected.
    async fn serve(self: Arc<Self>, client: Client, place: Option<OwnedSemaphorePermit>) {
        let _place = match place {
            Some(place) => place,
            None => a_place(&self.free).await,
        };
        let span = tracing::error_span!("connection", id = client.id, peer = %client.peer);
        let (traffic, result) = self.converse(client, &span).await;
        span.in_scope(|| self.ends.note(traffic, result));
    }

    async fn converse(
        &self,
        client: Client,
        span: &Span,
    ) -> (Traffic, Result<Ending, ConnectionError>) {
        let Client {
            id,
            mut stream,
            peer,
            listener,
        } = client;
        span.in_scope(|| tracing::debug!("connected"));
        // Replies are complete when they are written: waiting to join them (RFC 896) only delays.
        if let Err(error) = stream.set_nodelay(true) {
            span.in_scope(|| tracing::debug!("cannot set TCP_NODELAY: {error}"));
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
        let generation = self.generations.current();
        let terms = generation.made_from.terms.clone();
        let limit_bytes = terms.unsent_limit_bytes();
        let outbox = Arc::new(Outbox::new(id, peer, limit_bytes, span.clone()));
        let service = generation.made_from.handler.serve(&outbox);
        let seat = self.generations.seat(generation, &outbox);
        let served = match service {
            Service::Session(session) => {
                let session = MovingSession::new(self.generations.clone(), session, seat);
                connection::serve(&mut stream, session, outbox.clone(), &terms).await
            }
            Service::Program(program) => {
                let served = connection::serve_program(&mut stream, program, &outbox, &terms).await;
                drop(seat);
                served
            }
        };
        if let Ok(Ending::Reset) = served {
            // Zero linger makes closing a reset. If it can't be set, closing has to do.
            let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
        }
        drop(stream);
        (outbox.traffic(), served)
    }
}

/// Waits for connections that are still open, and cuts those that are so at the end of `limit`.
async fn drain(mut connections: Vec<JoinSet<()>>, limit: Duration) -> Drained {
    match still_open(&mut connections) {
        0 => return Drained { cut: 0 },
        open => tracing::info!("stopping: {open} connections may finish within {limit:?}"),
    }
    let all = async {
        for set in &mut connections {
            while set.join_next().await.is_some() {}
        }
    };
    let _ = timeout(limit, all).await;
    let cut = still_open(&mut connections);
    for set in &mut connections {
        set.shutdown().await;
    }
    Drained { cut }
}

fn still_open(connections: &mut [JoinSet<()>]) -> usize {
    let reap = |set: &mut JoinSet<()>| {
        while set.try_join_next().is_some() {}
        set.len()
    };
    connections.iter_mut().map(reap).sum()
}

async fn wait_for_place(free: &Arc<Semaphore>, listener: &Listener) -> OwnedSemaphorePermit {
    if let Ok(permit) = free.clone().try_acquire_owned() {
        return permit;
    }
    tracing::warn!(
        listener = %listener.endpoint(),
        "the connection limit is reached (--max-connections): new clients wait"
    );
    a_place(free).await
}

async fn a_place(free: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    match free.clone().acquire_owned().await {
        Ok(permit) => permit,
        // Only a closed semaphore fails, and nobody closes this one.
        Err(_) => std::future::pending().await,
    }
}
