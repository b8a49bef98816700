//! The plan of a reload. Making it changes nothing and finds every error.

use super::doors::ReadyDoor;
use super::{DoorError, Host, Now, ReloadError, Service, StartError};
use crate::config::{HostConfig, ListenerConfig, ServiceConfig};
use crate::swap::{Prepared, Swapper};
use server::service::Door;
use std::sync::Arc;

/// The new services in order. All other services end, and all other listeners close.
pub struct Plan(pub Vec<Step>);

/// The plan for one service.
pub struct Step {
    pub config: ServiceConfig,
    pub origin: Origin,
    pub doors: Vec<NextDoor>,
}

/// Where a service comes from.
pub enum Origin {
    /// It is new.
    New(Arc<Swapper>),
    /// It continues.
    Old(Box<(Service, Prepared)>),
}

/// A listener of the new configuration.
pub enum NextDoor {
    /// An existing listener.
    Kept(Box<(ListenerConfig, Door)>),
    /// A new listener.
    Opened(Box<ReadyDoor>),
}

impl Plan {
    /// Loads, probes and binds everything new.
    pub async fn new(host: &Host, now: &Now, next: &HostConfig) -> Result<Self, ReloadError> {
        let mut steps = Vec::new();
        for config in &next.services {
            let old = now.services.iter().find(|it| it.config.name == config.name);
            let origin = match old {
                None => Origin::New(Service::load(&host.engine, config).await?),
                Some(service) => {
                    let prepared = prepare(service, config).await?;
                    Origin::Old(Box::new((service.clone(), prepared)))
                }
            };
            steps.push(Step {
                doors: doors(config, old, now)?,
                config: config.clone(),
                origin,
            });
        }
        Ok(Plan(steps))
    }
}

async fn prepare(service: &Service, config: &ServiceConfig) -> Result<Prepared, StartError> {
    let preparing = service.swapper.prepare(config.serve.clone());
    preparing.await.map_err(|cause| StartError::Service {
        service: config.name.clone(),
        cause,
    })
}

/// The listeners that a service keeps and gets.
fn doors(
    config: &ServiceConfig,
    old: Option<&Service>,
    now: &Now,
) -> Result<Vec<NextDoor>, DoorError> {
    let mut kept = old.map_or(Vec::new(), |service| service.doors.clone());
    let doors = config.listen.iter().map(|wanted| {
        Ok(match kept.iter().position(|(said, _)| said == wanted) {
            Some(at) => NextDoor::Kept(Box::new(kept.remove(at))),
            None => NextDoor::Opened(Box::new(ready(wanted, now)?)),
        })
    });
    doors.collect()
}

/// A listener for an address. An existing socket that changes its service or settings is not bound
/// again: clients in its backlog would be refused.
fn ready(wanted: &ListenerConfig, now: &Now) -> Result<ReadyDoor, DoorError> {
    let doors = now.services.iter().flat_map(|service| &service.doors);
    let mut bound = doors.filter(|(said, _)| said.uri.shares_a_socket_with(&wanted.uri));
    match bound.next() {
        Some((_, door)) => Ok(ReadyDoor {
            after: Some(door.clone()),
            ..ReadyDoor::with(wanted, door.listener().again(&wanted.uri)?)?
        }),
        None => ReadyDoor::bind(wanted),
    }
}
