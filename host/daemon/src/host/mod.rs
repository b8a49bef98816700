//! A running host: its services with their handlers and listeners, and how a reload changes them.
//! Must not know the command line.

mod capacity;
mod certificates;
mod commit;
mod error;
mod listeners;
mod loaded;
mod needs;
mod reload;
mod service;

pub use capacity::capacity;
pub use error::{ListenerError, ReloadError, StartError, WhichService};
pub use listeners::{Bound, ReadyListener};
pub use loaded::Loaded;
pub use needs::{names, needs};
pub use service::Service;

use crate::refusals::Refusals;
use address::Endpoint;
use config::{HostConfig, LogConnections, ServiceName, Sources};
use engine::{Capacity, Engine, EngineError, Purpose, Serving, Slots};
use parking_lot::{Mutex, MutexGuard};
use server::service::{Drained, Server};
use server::workers::Workers;
use std::sync::Arc;

/// The services of this process.
pub struct Host {
    sources: Sources,
    engine: Arc<Engine>,
    server: Arc<Server<Serving>>,
    now: Mutex<Snapshot>,
    /// Held while a reload is in progress.
    turn: tokio::sync::Mutex<()>,
    refusals: Refusals,
}

/// The state that a reload replaces.
#[derive(Clone)]
struct Snapshot {
    config: Arc<HostConfig>,
    /// In the order of the configuration.
    services: Arc<Vec<Service>>,
}

impl Snapshot {
    fn service(&self, name: &ServiceName) -> Option<&Service> {
        self.services.iter().find(|it| it.name() == name)
    }
}

impl Host {
    /// A host that serves nothing yet: its handlers are [loaded](Host::load), and then
    /// [opened](Host::open) to clients, as in every reload.
    pub fn new(
        workers: Workers,
        sources: Sources,
        mut config: HostConfig,
        bound: &Bound,
    ) -> Result<Self, EngineError> {
        if let (None, [only]) = (&sources.file, &mut config.services[..]) {
            // Inherited sockets may be of another kind than configured.
            let mut bound = bound.endpoints();
            let datagrams = bound.find(|it| matches!(it, Endpoint::Udp(_))).cloned();
            only.serve.datagrams = only.serve.datagrams.take().or(datagrams);
        }
        let capacity = Capacity {
            max_datagram_sessions: bound.datagram_sessions(),
            ..capacity(&config)
        };
        let cache = config.cache.as_deref();
        let purpose = Purpose {
            handlers_change: config.services.iter().any(|it| it.watch),
            shows_lines: sources.is_author,
        };
        let engine = Engine::with_purpose(capacity, cache, purpose)?;
        Ok(Host {
            sources,
            engine: Arc::new(engine),
            server: Arc::new(Server::new(
                Arc::new(workers),
                &config.server_limits,
                config.address_rates,
                config.log_connections == LogConnections::On,
            )),
            now: Mutex::new(Snapshot {
                config: Arc::new(config),
                services: Arc::default(),
            }),
            turn: tokio::sync::Mutex::default(),
            refusals: Refusals::default(),
        })
    }

    /// Starts accepting.
    pub async fn open(&self, bound: Bound, loaded: Loaded) {
        let config = HostConfig::clone(&self.config());
        self.commit(config, bound, loaded).await;
    }

    /// Completes when no more clients can come: the only one, on standard input, is gone.
    pub async fn exhausted(&self) {
        self.server.exhausted().await;
    }

    /// Stops accepting, and drains open connections within the drain timeout.
    pub async fn stop(&self) -> Drained {
        let limit = self.config().server_limits.drain_timeout;
        self.server.stop(limit).await
    }

    /// The current configuration.
    pub fn config(&self) -> Arc<HostConfig> {
        self.now().config.clone()
    }

    /// The current services.
    pub fn services(&self) -> Arc<Vec<Service>> {
        self.now().services.clone()
    }

    /// The server of all services, also of those that were removed and drain.
    pub fn server(&self) -> &Server<Serving> {
        &self.server
    }

    /// The slots for instances, shared by all services.
    pub fn slots(&self) -> Slots {
        self.engine.slots()
    }

    /// The service with this name, or the only one.
    pub fn service(&self, name: Option<&str>) -> Result<Service, WhichService> {
        let services = self.services();
        let names = || services.iter().map(|it| it.name().clone()).collect();
        match (name, &services[..]) {
            (None, [only]) => Ok(only.clone()),
            (None, _) => Err(WhichService::Several { services: names() }),
            (Some(name), all) => {
                let found = all.iter().find(|it| it.name().to_string() == name);
                found.cloned().ok_or_else(|| WhichService::Unknown {
                    name: name.to_owned(),
                    services: names(),
                })
            }
        }
    }
    fn now(&self) -> MutexGuard<'_, Snapshot> {
        self.now.lock()
    }
}
