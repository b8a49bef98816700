//! The server: accepts on every listener, serves each connection in a task of its own, and drains.

mod client;
mod ends;

use client::Client;
pub use ends::{Ends, Totals};

use crate::admission::Admission;
use crate::generation::Generations;
use crate::handler::Handler;
use crate::limits::ServerLimits;
use crate::listener::Listener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Everything a server needs, bound and loaded.
pub struct Server<H> {
    /// Compute the replies.
    pub generations: Arc<Generations<H>>,
    /// Where clients come from.
    pub listeners: Vec<(Listener, Admission)>,
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
        for (listener, admission) in self.listeners {
            accepting.spawn(shared.clone().accept(listener, admission));
        }
        let mut connections = Vec::new();
        tokio::select! {
            () = stop => {}
            // Those that come to an end by themselves have no more clients.
            () = async { while let Some(ended) = accepting.join_next().await { connections.extend(ended); } } => {}
        }
        shared.stopping.cancel();
        shared.generations.stop();
        connections.extend(accepting.join_all().await);
        let drained = drain(connections, self.limits.drain_timeout).await;
        shared.ends.log();
        drained
    }
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
    /// Serves the clients of one listener until the server stops, or the last of them has gone. Returns those
    /// that are still open.
    async fn accept(self: Arc<Self>, listener: Listener, admission: Admission) -> JoinSet<()> {
        let admission = Arc::new(admission);
        let mut connections = JoinSet::new();
        loop {
            let accepted = self.stopping.run_until_cancelled(listener.accept()).await;
            let accepted = match accepted {
                None => return connections,
                Some(None) => break,
                Some(Some(accepted)) => accepted,
            };
            if accepted.client.is_some_and(|it| admission.turns_away(it)) {
                self.ends.note_turned_away(&accepted, &admission.listener);
                continue;
            }
            let client = Client {
                id: self.next_id.fetch_add(1, Ordering::Relaxed),
                accepted,
                admission: admission.clone(),
            };
            let place = wait_for_place(&self.free, &listener);
            let place = self.stopping.run_until_cancelled(place).await;
            connections.spawn(self.clone().serve(client, place));
            // Those that have ended since the last one came.
            while connections.try_join_next().is_some() {}
        }
        let all = async { while connections.join_next().await.is_some() {} };
        self.stopping.run_until_cancelled(all).await;
        connections
    }

    /// Serves a client in its place, for which it still has to wait if the server was stopped meanwhile: the
    /// kernel has told it that it is connected.
    async fn serve(self: Arc<Self>, client: Client, place: Option<OwnedSemaphorePermit>) {
        let _place = match place {
            Some(place) => place,
            None => a_place(&self.free).await,
        };
        client.serve(&self).await;
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
