//! A service of a host at one time: a reload replaces it and shares what has not changed.

use super::StartError;
use super::certificates;
use super::listeners::ReadyListener;
use crate::swap::Swapper;
use config::{ListenerConfig, ServiceConfig, ServiceName};
use engine::{Engine, Serving};
use server::listener::ListenerHandle;
use server::service::{ServedService, Server, ServiceListener};
use server::tls::TlsTerminator;
use std::sync::Arc;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

/// A handler with its generations and listeners.
#[derive(Clone)]
pub struct Service {
    pub(super) config: ServiceConfig,
    pub(super) swapper: Arc<Swapper>,
    pub(super) served: Arc<ServedService<Serving>>,
    /// The listeners with their configuration.
    pub(super) listeners: Vec<(ListenerConfig, ServiceListener)>,
    /// Rolls the handler back when it is unfit.
    _watch_over: Arc<AbortOnDropHandle<()>>,
    /// Swaps the handler when its file changes.
    watch: Option<Arc<AbortOnDropHandle<()>>>,
    /// Reloads the certificates of its listeners when they change.
    watch_certificates: Option<Arc<AbortOnDropHandle<()>>>,
}

impl Service {
    /// Loads and probes the handler of a service.
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

    /// A service with a loaded handler and no listeners.
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
                &config.name.to_string(),
                swapper.generations().clone(),
                config.rates,
                config.max_connections,
                span,
            ),
            listeners: Vec::new(),
            _watch_over: Arc::new(AbortOnDropHandle::new(tokio::spawn(watch_over))),
            watch: config.watch.then(|| watch(config, &swapper)),
            watch_certificates: None,
            swapper,
        }
    }

    /// The same service with another configuration, whose handler is already swapped in, and other
    /// listeners.
    pub(super) fn changed(
        mut self,
        config: &ServiceConfig,
        listeners: Vec<(ListenerConfig, ServiceListener)>,
    ) -> Self {
        self.watch = match self.watch.filter(|_| config.watch) {
            None if config.watch => Some(watch(config, &self.swapper)),
            kept => kept,
        };
        self.config = config.clone();
        self.listeners = listeners;
        self.watch_certificates = certificates::watch(config, self.terminators());
        self
    }

    /// Starts accepting on a listener.
    pub(super) fn open(&self, ready: ReadyListener) -> (ListenerConfig, ServiceListener) {
        // An existing socket gets its new settings only now.
        if let Err(error) = ready.listener.set_access(ready.config.unix) {
            let endpoint = ready.listener.endpoint();
            self.in_scope(|| tracing::warn!("cannot change mode and owner of {endpoint}: {error}"));
        }
        if let Err(error) = ready.listener.set_options(&ready.config.socket) {
            let endpoint = ready.listener.endpoint();
            self.in_scope(|| {
                tracing::warn!("cannot set the options of the socket {endpoint}: {error}")
            });
        }
        let ReadyListener {
            config,
            listener,
            admission,
            after,
        } = ready;
        let limit = config.max_connections;
        let listener = (self.served).open(listener, admission, limit, after.as_ref());
        (config, listener)
    }

    /// The TLS terminators of its listeners.
    pub(super) fn terminators(&self) -> Vec<Arc<TlsTerminator>> {
        let listeners = self.listeners.iter();
        listeners
            .filter_map(|(_, listener)| listener.terminator().cloned())
            .collect()
    }

    /// Runs `log` in the span of the service.
    pub fn in_scope(&self, log: impl FnOnce()) {
        self.config.span().in_scope(log);
    }

    /// Its name.
    pub fn name(&self) -> &ServiceName {
        &self.config.name
    }

    /// Its swapper.
    pub fn swapper(&self) -> &Swapper {
        &self.swapper
    }

    /// Its state in the server.
    pub fn served(&self) -> &ServedService<Serving> {
        &self.served
    }

    /// Its listeners.
    pub fn listeners(&self) -> impl Iterator<Item = &ListenerHandle> {
        self.listeners.iter().map(|(_, listener)| listener.handle())
    }

    /// The URIs of its listeners with the number of open connections.
    pub fn open_connections(&self) -> impl Iterator<Item = (String, usize)> {
        let listeners = self.listeners.iter().map(|(_, listener)| listener);
        listeners.map(|it| (it.handle().endpoint().to_string(), it.connections()))
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
