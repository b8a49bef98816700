//! Loads the handlers of a configuration before it is served. Loading changes nothing that is
//! served, and finds everything that can go wrong with a handler.

use super::{Host, Service, Snapshot, StartError};
use crate::swap::{Prepared, Swapper};
use config::{HostConfig, ServiceConfig};
use std::panic::resume_unwind;
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// The handlers of the services of a configuration, in their order.
pub struct Loaded(pub(super) Vec<Origin>);

/// Where a service comes from.
pub(super) enum Origin {
    /// It is new.
    New(Arc<Swapper>),
    /// It exists, and may get another version of its handler.
    Old(Box<(Service, Prepared)>),
}

impl Host {
    /// Loads and probes the handlers of its own configuration, which is not served yet.
    pub async fn load(&self) -> Result<Loaded, StartError> {
        let now = self.now().clone();
        self.load_next(&now, &now.config).await
    }

    /// Loads and probes the handlers of `next`, which replaces what is served `now`.
    pub(super) async fn load_next(
        &self,
        now: &Snapshot,
        next: &HostConfig,
    ) -> Result<Loaded, StartError> {
        match self.try_load_next(now, next).await {
            Ok(loaded) => Ok(loaded),
            Err(error) => {
                let sources = self.sources.clone();
                let placed = spawn_blocking(move || error.placed(&sources)).await;
                Err(placed.unwrap_or_else(|panic| resume_unwind(panic.into_panic())))
            }
        }
    }

    async fn try_load_next(&self, now: &Snapshot, next: &HostConfig) -> Result<Loaded, StartError> {
        let mut loaded = Vec::new();
        for config in &next.services {
            loaded.push(match now.service(&config.name) {
                None => {
                    let span = config.span();
                    span.in_scope(|| tracing::debug!("loading {}", config.serve.handler));
                    Origin::New(Service::load(&self.engine, config).await?)
                }
                Some(service) => {
                    let prepared = prepare(service, config).await?;
                    Origin::Old(Box::new((service.clone(), prepared)))
                }
            });
        }
        Ok(Loaded(loaded))
    }
}

impl Loaded {
    /// Logs which handlers a new host serves.
    pub fn log(&self, config: &HostConfig) {
        for (origin, service) in self.0.iter().zip(&config.services) {
            let Origin::New(swapper) = origin else {
                continue;
            };
            let current = swapper.generations().current();
            let first = &current.made_from;
            service.span().in_scope(|| {
                tracing::info!(
                    tier = %first.tier, framing = %first.settings.framing,
                    max_message_bytes = first.settings.limits.max_message_bytes,
                    "serving {}", first.name
                );
            });
        }
    }
}

async fn prepare(service: &Service, config: &ServiceConfig) -> Result<Prepared, StartError> {
    let preparing = service.swapper.prepare(config.serve.clone());
    preparing.await.map_err(|cause| StartError::Service {
        service: config.name.clone(),
        cause,
    })
}
