//! One service of a host, at one time: a reload makes another of it, which shares what has not changed.

use super::StartError;
use super::certificates;
use super::doors::ReadyDoor;
use crate::config::{ListenerConfig, ServiceConfig, ServiceName};
use crate::swap::Swapper;
use engine::{Engine, Serving};
use server::listener::ListenerHandle;
use server::service::{Door, Served, Server};
use server::tls::Terminator;
use std::sync::Arc;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

/// A handler, its versions, and the doors to it.
#[derive(Clone)]
pub struct Service {
    pub(super) config: ServiceConfig,
    pub(super) swapper: Arc<Swapper>,
    pub(super) served: Arc<Served<Serving>>,
    /// Each with what was said about it.
    pub(super) doors: Vec<(ListenerConfig, Door)>,
    /// Swaps the handler back when it is unfit.
    _watch_over: Arc<AbortOnDropHandle<()>>,
    /// Swaps the handler when its file changes.
    watch: Option<Arc<AbortOnDropHandle<()>>>,
    /// Reads the certificates of its doors again when they change.
    watch_certificates: Option<Arc<AbortOnDropHandle<()>>>,
}

impl Service {
    /// Loads the handler of a service, tries it and probes it.
    pub async fn load(
        engine: &Arc<Engine>,
        config: &ServiceConfig,
    ) -> Result<Arc<Swapper>, StartError> {
        let engine = Arc::new(engine.for_service());
        Swapper::begin(engine, config.serve.clone(), config.span())
            .await
            .map_err(|cause| StartError::Service {
                service: config.name.clone(),
                cause,
            })
    }

    /// A service with the handler that was loaded, and without doors.
    pub(super) fn new(
        server: &Server<Serving>,
        config: &ServiceConfig,
        swapper: Arc<Swapper>,
    ) -> Self {
        let span = config.span();
        let watch_over = {
            let swapper = swapper.clone();
            async move { swapper.watch_over().await }
        };
        Service {
            config: config.clone(),
            served: server.add(
                swapper.generations().clone(),
                config.rates,
                config.max_connections,
                span,
            ),
            doors: Vec::new(),
            _watch_over: Arc::new(AbortOnDropHandle::new(tokio::spawn(watch_over))),
            watch: config.watch.then(|| watch(config, &swapper)),
            watch_certificates: None,
            swapper,
        }
    }

    /// The same with another configuration, whose handler has been swapped in, and with other doors.
    pub(super) fn changed(
        mut self,
        config: &ServiceConfig,
        doors: Vec<(ListenerConfig, Door)>,
    ) -> Self {
        self.watch = match self.watch.filter(|_| config.watch) {
            None if config.watch => Some(watch(config, &self.swapper)),
            kept => kept,
        };
        self.config = config.clone();
        self.doors = doors;
        self.watch_certificates = certificates::watch(config, self.terminators());
        self
    }

    /// Opens a door.
    pub(super) fn open(&self, ready: ReadyDoor) -> (ListenerConfig, Door) {
        // A socket that was there already has got other settings only now.
        if let Err(error) = ready.listener.set_access(ready.config.unix) {
            let place = ready.listener.endpoint();
            self.in_scope(|| tracing::warn!("{place} keeps its mode and its owner: {error}"));
        }
        if let Err(error) = ready.listener.set_options(&ready.config.socket) {
            let place = ready.listener.endpoint();
            self.in_scope(|| {
                tracing::warn!("cannot set the options of the socket {place}: {error}")
            });
        }
        let ReadyDoor {
            config,
            listener,
            admission,
            after,
        } = ready;
        let limit = config.max_connections;
        let door = (self.served).open(listener, admission, limit, after.as_ref());
        (config, door)
    }

    /// What takes TLS off at its doors.
    pub(super) fn terminators(&self) -> Vec<Arc<Terminator>> {
        let doors = self.doors.iter();
        doors
            .filter_map(|(_, door)| door.terminator().cloned())
            .collect()
    }

    /// Logs about it.
    pub fn in_scope(&self, log: impl FnOnce()) {
        self.config.span().in_scope(log);
    }

    /// What it is called.
    pub fn name(&self) -> &ServiceName {
        &self.config.name
    }

    /// What makes its versions.
    pub fn swapper(&self) -> &Swapper {
        &self.swapper
    }

    /// What serves its clients.
    pub fn served(&self) -> &Served<Serving> {
        &self.served
    }

    /// Where its clients come from.
    pub fn listeners(&self) -> impl Iterator<Item = &ListenerHandle> {
        self.doors.iter().map(|(_, door)| door.listener())
    }
}

fn watch(config: &ServiceConfig, swapper: &Arc<Swapper>) -> Arc<AbortOnDropHandle<()>> {
    let swapper = swapper.clone();
    let watching = async move {
        if let Err(error) = swapper.watch().await {
            tracing::error!("{error}");
        }
    };
    let watching = watching.instrument(config.span());
    Arc::new(AbortOnDropHandle::new(tokio::spawn(watching)))
}
