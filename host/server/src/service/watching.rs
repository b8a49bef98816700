//! Finds open connections for an operator: to list, end or watch them.

use super::{ServedService, Server};
use crate::admission::Network;
use connection::generation::Stage;
use connection::handle::{CloseMode, ConnectionHandle, Notice, Watcher};
use connection::handler::Handler;
use connection::limits::CONNECTIONS_OF_A_REPLY;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Which connections are meant: those that fit all that is given.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// The name of their service.
    pub service: Option<String>,
    /// The id of the only one.
    pub connection: Option<u64>,
    /// The network of their peers.
    pub peer: Option<Network>,
}

impl Selection {
    fn holds_service(&self, name: &str) -> bool {
        self.service.as_deref().is_none_or(|wanted| wanted == name)
    }

    fn holds(&self, connection: &ConnectionHandle) -> bool {
        // A Unix socket and standard input have no address.
        let peer = || connection.peer().peer.parse().ok();
        self.connection.is_none_or(|id| id == connection.id())
            && (self.peer.as_ref()).is_none_or(|net| peer().is_some_and(|it| net.contains(it)))
    }
}

/// An open connection.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its service.
    pub service: Arc<str>,
    /// It.
    pub handle: Arc<ConnectionHandle>,
    /// Whether a program serves it.
    pub is_program: bool,
    /// How long no byte has moved, to a second.
    pub idle: Duration,
}

/// Who watches connections, and which.
#[derive(Debug, Default)]
pub struct Watchers {
    /// Whether there are any: connections that begin look here first, without the lock.
    are_some: AtomicBool,
    all: Mutex<Vec<(Selection, Arc<dyn Watcher>)>>,
}

impl<H: Handler> ServedService<H> {
    /// Lets those watch a connection who wait for it. It is registered with its generation, so that
    /// whoever comes later finds it there.
    pub(super) fn welcome_watchers(&self, connection: &ConnectionHandle) {
        let watchers = &self.state.watchers;
        // Both this and `Server::watch` first write and then read what the other has written.
        std::sync::atomic::fence(Ordering::SeqCst);
        if !watchers.are_some.load(Ordering::Relaxed) {
            return;
        }
        for (selection, watcher) in &*watchers.all.lock() {
            if selection.holds_service(self.name()) && selection.holds(connection) {
                connection.watch(watcher, self.name());
            }
        }
    }
}

impl<H: Handler> Server<H> {
    /// The open connections that are meant, by id, in slices: while one is collected, no connection
    /// begins or ends.
    pub fn find(&self, selection: Selection) -> impl Iterator<Item = Vec<Found>> + use<H> {
        let services = self.services().clone();
        let services = services.into_iter();
        let services: Vec<_> = services
            .filter(|it| selection.holds_service(it.name()))
            .collect();
        let ids = services.iter().enumerate().flat_map(|(at, it)| {
            let ids = it.generations.ids().into_iter();
            ids.map(move |id| (id, at))
        });
        let mut ids: Vec<_> = ids
            .filter(|(id, _)| selection.connection.is_none_or(|only| only == *id))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let begun = self.state.begun;
        let mut from = 0;
        std::iter::from_fn(move || {
            let rest = ids.get(from..).filter(|rest| !rest.is_empty())?;
            let slice = &rest[..rest.len().min(CONNECTIONS_OF_A_REPLY)];
            from += slice.len();
            let mut found = Vec::with_capacity(slice.len());
            for (at, served) in services.iter().enumerate() {
                let of_service = slice.iter().filter(|(_, service)| *service == at);
                let ids: Vec<_> = of_service.map(|(id, _)| *id).collect();
                let some = served.generations.some(&ids).into_iter();
                let some = some.filter(|(handle, _)| selection.holds(handle));
                found.extend(some.map(|(handle, stage)| Found {
                    service: served.name.clone(),
                    idle: handle.quiet_for(begun.elapsed()),
                    handle,
                    is_program: stage == Stage::Program,
                }));
            }
            found.sort_unstable_by_key(|it| it.handle.id());
            Some(found)
        })
    }

    /// Ends the connections that are meant, and returns how many: gracefully or at once.
    pub fn disconnect(&self, selection: Selection, mode: CloseMode) -> usize {
        let found = self.find(selection).flatten();
        let ended = found.inspect(|it| match mode {
            CloseMode::Reset => it.handle.cut(),
            // A program has no other way to learn of it than the end of its input.
            CloseMode::Graceful if it.is_program => it.handle.close(mode),
            CloseMode::Graceful => it.handle.notify(Notice::Stop),
        });
        ended.count()
    }

    /// Lets somebody watch the connections that are meant, also those that begin later. Returns how
    /// many there are now.
    pub fn watch(&self, selection: Selection, watcher: &Arc<dyn Watcher>) -> usize {
        let watchers = &self.state.watchers;
        let mut all = watchers.all.lock();
        all.push((selection.clone(), watcher.clone()));
        watchers.are_some.store(true, Ordering::Relaxed);
        drop(all);
        std::sync::atomic::fence(Ordering::SeqCst);
        let found = self.find(selection).flatten();
        let watched = found.inspect(|it| it.handle.watch(watcher, &it.service));
        watched.count()
    }

    /// Ends what [`Server::watch`] has begun.
    pub fn unwatch(&self, watcher: &Arc<dyn Watcher>) {
        let mut all = self.state.watchers.all.lock();
        all.retain(|(_, it)| !Arc::ptr_eq(it, watcher));
        let are_some = !all.is_empty();
        self.state
            .watchers
            .are_some
            .store(are_some, Ordering::Relaxed);
        drop(all);
        for it in self.find(Selection::default()).flatten() {
            it.handle.unwatch(watcher);
        }
    }
}
