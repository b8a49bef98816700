//! A service of a server, and the doors to it.

use super::client::Client;
use super::{Ends, House};
use crate::admission::Admission;
use crate::generation::Generations;
use crate::handler::Handler;
use crate::listener::{Listener, ListenerHandle};
use crate::tls::Terminator;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span};

/// A service: what its connections have in common.
pub struct Served<H> {
    pub(super) generations: Arc<Generations<H>>,
    /// How its connections ended.
    pub(super) ends: Ends,
    pub(super) house: Arc<House>,
    span: Span,
    /// Cancelled when nobody is to be accepted any more.
    stopping: CancellationToken,
    /// Cancelled when those that are still open have had their time.
    cutting: CancellationToken,
    doors: TaskTracker,
    connections: TaskTracker,
}

/// A listener of a service. It is open until it is closed, or the service stops.
#[derive(Clone)]
pub struct Door {
    listener: ListenerHandle,
    admission: Arc<Admission>,
    closing: CancellationToken,
    closed: TaskTracker,
}

impl<H: Handler> Served<H> {
    pub(super) fn new(house: Arc<House>, generations: Arc<Generations<H>>, span: Span) -> Self {
        Served {
            generations,
            ends: Ends::within(&house.ends),
            span,
            stopping: house.stopping.child_token(),
            house,
            cutting: CancellationToken::new(),
            doors: TaskTracker::new(),
            connections: TaskTracker::new(),
        }
    }

    /// Lets clients in by another listener, from now on, if they pass. Must be called within a tokio runtime.
    pub fn open(self: &Arc<Self>, listener: Listener, admission: Admission) -> Door {
        let admission = Arc::new(admission);
        let closing = self.stopping.child_token();
        let closed = TaskTracker::new();
        let door = Door {
            listener: listener.handle(),
            admission: admission.clone(),
            closing: closing.clone(),
            closed: closed.clone(),
        };
        let accepting = self.clone().accept(listener, admission, closing);
        let accepting = accepting.instrument(self.span.clone());
        self.doors.spawn(closed.track_future(accepting));
        door
    }

    /// Its versions.
    pub fn generations(&self) -> &Arc<Generations<H>> {
        &self.generations
    }

    /// How its connections ended.
    pub fn ends(&self) -> &Ends {
        &self.ends
    }

    /// Serves the clients of one listener until it is closed, or has no more.
    async fn accept(
        self: Arc<Self>,
        listener: Listener,
        admission: Arc<Admission>,
        closing: CancellationToken,
    ) {
        if let Some(socket) = listener.datagrams() {
            return self.receive(socket.clone(), admission, closing).await;
        }
        let mut last = None;
        while let Some(accepted) = closing.run_until_cancelled(listener.accept()).await {
            let Some(accepted) = accepted else {
                self.house.exhaust(last).await;
                return;
            };
            if accepted.client.is_some_and(|it| admission.turns_away(it)) {
                self.ends.note_turned_away(&accepted, &admission.listener);
                continue;
            }
            let client = Client {
                id: self.house.next_id.fetch_add(1, Ordering::Relaxed),
                accepted,
                admission: admission.clone(),
            };
            let place = wait_for_place(&self.house.free, &listener);
            let place = closing.run_until_cancelled(place).await;
            last = Some(self.spawn(self.clone().serve(client, place)));
        }
    }

    /// Serves a connection in a task of its own, until it ends or is cut.
    pub(super) fn spawn(
        self: &Arc<Self>,
        serving: impl Future<Output = ()> + Send + 'static,
    ) -> JoinHandle<()> {
        let served = self.clone();
        let in_time = async move {
            served.cutting.run_until_cancelled(serving).await;
        };
        self.connections
            .spawn(in_time.instrument(self.span.clone()))
    }

    /// Serves a client in its place, for which it still has to wait if the door was closed meanwhile: the
    /// kernel has told it that it is connected.
    async fn serve(self: Arc<Self>, client: Client, place: Option<OwnedSemaphorePermit>) {
        let _place = match place {
            Some(place) => place,
            None => a_place(&self.house.free).await,
        };
        client.serve(&self).await;
    }

    /// Lets nobody in any more, and tells conversations so.
    pub(super) fn stop(&self) {
        self.stopping.cancel();
        self.generations.stop();
    }

    /// Completes when all its doors are closed, which they are soon after it was stopped.
    pub(super) async fn closed(&self) {
        self.doors.close();
        self.doors.wait().await;
    }

    /// Completes when all its connections have ended, of which there are no more to come.
    pub(super) async fn finished(&self) {
        self.connections.close();
        self.connections.wait().await;
    }

    /// Ends its connections at once.
    pub(super) fn cut(&self) {
        self.cutting.cancel();
    }

    pub(super) fn open_connections(&self) -> usize {
        self.connections.len()
    }
}

impl Door {
    /// Where clients come from.
    pub fn listener(&self) -> &ListenerHandle {
        &self.listener
    }

    /// What takes TLS off, if there is any.
    pub fn terminator(&self) -> Option<&Arc<Terminator>> {
        self.admission.tls.as_ref()
    }

    /// Whether both are the same.
    pub fn is(&self, other: &Door) -> bool {
        TaskTracker::ptr_eq(&self.closed, &other.closed)
    }

    /// Lets nobody in any more. Those who are inside stay. Completes when the socket is closed.
    pub async fn close(self) {
        self.closing.cancel();
        self.closed.close();
        self.closed.wait().await;
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
    a_place(free).await
}

async fn a_place(free: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    match free.clone().acquire_owned().await {
        Ok(permit) => permit,
        // Only a closed semaphore fails, and nobody closes this one.
        Err(_) => std::future::pending().await,
    }
}
