//! A running host: its services with their handlers and listeners, and how a reload changes them.
//! Must not know the command line.

mod capacity;
mod certificates;
mod doors;
mod error;
mod needs;
mod plan;
mod reload;
mod service;

pub use capacity::capacity;
pub use doors::Bound;
pub use error::{DoorError, ReloadError, StartError, WhichService};
pub use needs::{names, needs};
pub use service::Service;

use crate::config::{HostConfig, Sources};
use crate::refusals::Refusals;
use connection::address::Endpoint;
use engine::{Capacity, Engine, Places, Serving};
use server::service::{Drained, Server};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The services of this process.
pub struct Host {
    sources: Sources,
    engine: Arc<Engine>,
    server: Arc<Server<Serving>>,
    now: Mutex<Now>,
    /// Held while a reload is in progress.
    turn: tokio::sync::Mutex<()>,
    refusals: Refusals,
}

/// The state that a reload replaces.
#[derive(Clone)]
struct Now {
    config: Arc<HostConfig>,
    /// In the order of the configuration.
    services: Arc<Vec<Service>>,
}

impl Host {
    /// Loads the services of `config`, read from `sources`, for the `bound` listeners. No client is
    /// accepted before [`Host::open`]. Must be called in a tokio runtime.
    pub async fn load(
        sources: Sources,
        mut config: HostConfig,
        bound: &Bound,
    ) -> Result<Self, StartError> {
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
        let engine = match config.services.iter().any(|it| it.watch) {
            true => Engine::for_changing_handlers(capacity, cache)?,
            false => Engine::new(capacity, cache)?,
        };
        let engine = Arc::new(engine);
        let server = Arc::new(Server::new(&config.server_limits, config.address_rates));
        let mut services = Vec::new();
        for service in &config.services {
            service
                .span()
                .in_scope(|| tracing::debug!("loading {}", service.serve.handler));
            let swapper = Service::load(&engine, service).await?;
            services.push(Service::new(&server, service, swapper));
        }
        Ok(Host {
            sources,
            engine,
            server,
            now: Mutex::new(Now {
                config: Arc::new(config),
                services: Arc::new(services),
            }),
            turn: tokio::sync::Mutex::default(),
            refusals: Refusals::default(),
        })
    }

    /// Starts accepting.
    pub fn open(&self, bound: Bound) {
        let mut now = self.now();
        let services = now.services.iter().zip(bound.into_services());
        let opened = services.map(|(service, ready)| {
            let doors = ready.into_iter().map(|ready| service.open(ready));
            service.clone().changed(&service.config, doors.collect())
        });
        now.services = Arc::new(opened.collect());
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

    /// The places for instances, shared by all services.
    pub fn places(&self) -> Places {
        self.engine.places()
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

    /// The state is consistent at every step, so a panic elsewhere does no harm.
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
