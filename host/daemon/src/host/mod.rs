//! A running host: its services, each with its handler and its doors, and how another configuration takes the
//! place of theirs.

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
pub use reload::LastRefusal;
pub use service::Service;

use crate::config::{HostConfig, Sources};
use connection::address::Endpoint;
use engine::{Capacity, Engine, Places, Serving};
use reload::Refusals;
use server::service::{Drained, Server};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The services of this process.
pub struct Host {
    sources: Sources,
    engine: Arc<Engine>,
    server: Arc<Server<Serving>>,
    now: Mutex<Now>,
    /// Held by who reloads.
    turn: tokio::sync::Mutex<()>,
    refusals: Refusals,
}

/// What a reload changes.
#[derive(Clone)]
struct Now {
    config: Arc<HostConfig>,
    /// In the order of the configuration.
    services: Arc<Vec<Service>>,
}

impl Host {
    /// Loads what `config` wants, which came from `sources`, to be served on what was `bound`. No client gets in
    /// before it is [opened](Host::open). Must be called within a tokio runtime.
    pub async fn load(
        sources: Sources,
        mut config: HostConfig,
        bound: &Bound,
    ) -> Result<Self, StartError> {
        if let (None, [only]) = (&sources.file, &mut config.services[..]) {
            // Sockets that other processes have passed on may be of another kind than was said.
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

    /// Lets clients in.
    pub fn open(&self, bound: Bound) {
        let mut now = self.now();
        let services = now.services.iter().zip(bound.into_services());
        let opened = services.map(|(service, ready)| {
            let doors = ready.into_iter().map(|ready| service.open(ready));
            service.clone().changed(&service.config, doors.collect())
        });
        now.services = Arc::new(opened.collect());
    }

    /// Completes when there are no more clients to come: the only one, on standard input, has gone.
    pub async fn exhausted(&self) {
        self.server.exhausted().await;
    }

    /// Stops accepting, and waits for open connections for as long as the drain timeout allows.
    pub async fn stop(&self) -> Drained {
        let limit = self.config().server_limits.drain_timeout;
        self.server.stop(limit).await
    }

    /// What it is, and what it does at this moment.
    pub fn config(&self) -> Arc<HostConfig> {
        self.now().config.clone()
    }

    /// Its services as they are at this moment.
    pub fn services(&self) -> Arc<Vec<Service>> {
        self.now().services.clone()
    }

    /// What serves the clients of all services, of those too that have been taken out and finish.
    pub fn server(&self) -> &Server<Serving> {
        &self.server
    }

    /// The places for handlers' instances, of all services.
    pub fn places(&self) -> Places {
        self.engine.places()
    }

    /// The service of this name, or the only one if none is named.
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

    /// What is guarded is whole at every step: a panic elsewhere does not spoil it.
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
