//! What a reload is going to do. Making the plan changes nothing and finds all that can go wrong.

use super::doors::ReadyDoor;
use super::{DoorError, Host, Now, ReloadError, Service, StartError};
use crate::config::{HostConfig, ListenerConfig, ServiceConfig};
use crate::swap::{Prepared, Swapper};
use server::service::Door;
use std::sync::Arc;

/// The services that are to be, in their order. All others are to end, and all doors that are not here to close.
pub struct Plan(pub Vec<Step>);

/// What happens to one service.
pub struct Step {
    pub config: ServiceConfig,
    pub origin: Origin,
    pub doors: Vec<NextDoor>,
}

/// Where a service comes from.
pub enum Origin {
    /// It begins.
    New(Arc<Swapper>),
    /// It goes on.
    Old(Box<(Service, Prepared)>),
}

/// A door that a service is to have.
pub enum NextDoor {
    /// The one that it has.
    Kept(Box<(ListenerConfig, Door)>),
    /// Another one.
    Opened(Box<ReadyDoor>),
}

impl Plan {
    /// Loads, probes and binds what is to come in the place of what is there now.
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

/// The doors that a service keeps, and those that it gets.
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

/// A door for an address. The socket of one that is there and is to be another's, or to be another one, is not
/// bound anew: clients that wait in it would be refused.
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
