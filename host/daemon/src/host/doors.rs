//! Listeners that are bound but not accepting yet, with their admission.

use super::{DoorError, Snapshot};
use crate::config::{HostConfig, ListenerConfig, Sources};
use connection::address::Endpoint;
use server::admission::Admission;
use server::listener::{Listener, Owner, UnixAccess};
use server::service::Door;
use server::tls::Terminator;
use std::io;
use std::sync::Arc;

/// A listener that can start accepting; this cannot fail.
pub struct ReadyDoor {
    /// Its configuration.
    pub config: ListenerConfig,
    /// The socket.
    pub listener: Listener,
    /// Its admission.
    pub admission: Admission,
    /// The listener that has the same socket until then.
    pub after: Option<Door>,
}

/// A listener that a service is going to have.
pub enum NextDoor {
    /// One that it has already.
    Kept(Box<(ListenerConfig, Door)>),
    /// A new one.
    Ready(Box<ReadyDoor>),
}

/// The listeners of all services, in the order of the configuration. All are bound.
pub struct Bound(Vec<Vec<NextDoor>>);

impl ReadyDoor {
    /// Binds a new socket.
    pub(super) fn bind(config: &ListenerConfig) -> Result<Self, DoorError> {
        let terminator = terminator(config)?;
        let listener = Listener::bind(&config.uri, config.unix, &config.socket)?;
        Ok(ReadyDoor::new(config.clone(), listener, terminator))
    }

    /// Uses an existing socket.
    pub(super) fn with(config: &ListenerConfig, listener: Listener) -> Result<Self, DoorError> {
        listener.check_access(config.unix)?;
        let terminator = terminator(config)?;
        Ok(ReadyDoor::new(config.clone(), listener, terminator))
    }

    fn new(config: ListenerConfig, listener: Listener, tls: Option<Arc<Terminator>>) -> Self {
        let admission = Admission {
            listener: listener.endpoint().to_string().into(),
            access: config.access.clone(),
            proxies: config.proxies.clone(),
            tls,
            limit: config.handshake_timeout,
            datagrams: config.datagrams,
        };
        ReadyDoor {
            config,
            listener,
            admission,
            after: None,
        }
    }
}

fn terminator(config: &ListenerConfig) -> Result<Option<Arc<Terminator>>, DoorError> {
    let tls = config.tls.clone();
    Ok(tls.map(Terminator::new).transpose()?.map(Arc::new))
}

impl Bound {
    /// Binds the listeners of a new host: what the configuration wants and is not among the sockets
    /// that were `given` by other processes. Without a configuration file, the given ones, if there
    /// are any, are all.
    pub fn new(
        sources: &Sources,
        config: &HostConfig,
        given: Vec<Listener>,
    ) -> Result<Self, DoorError> {
        match &config.services[..] {
            [_] if sources.file.is_none() && !given.is_empty() => {
                let all = given.into_iter().map(|listener| {
                    let config = sources.listener(listener.endpoint())?;
                    Ok(NextDoor::ready(ReadyDoor::with(&config, listener)?))
                });
                Ok(Bound(vec![all.collect::<Result<_, DoorError>>()?]))
            }
            _ => choose_and_bind(config, given),
        }
    }

    /// Binds what `next` wants and is not open `now`.
    pub(super) fn next(now: &Snapshot, next: &HostConfig) -> Result<Self, DoorError> {
        let services = next.services.iter().map(|config| {
            let old = now.service(&config.name);
            let mut kept = old.map_or(Vec::new(), |service| service.doors.clone());
            let doors = config.listen.iter().map(|wanted| {
                Ok(match kept.iter().position(|(config, _)| config == wanted) {
                    Some(at) => NextDoor::Kept(Box::new(kept.remove(at))),
                    None => NextDoor::ready(ready(wanted, now)?),
                })
            });
            doors.collect()
        });
        services.collect::<Result<_, _>>().map(Bound)
    }

    fn ready(&self) -> impl Iterator<Item = &ReadyDoor> {
        self.0.iter().flatten().filter_map(|door| match door {
            NextDoor::Ready(ready) => Some(&**ready),
            NextDoor::Kept(_) => None,
        })
    }

    /// The configuration of each listener.
    pub(super) fn configs(&self) -> impl Iterator<Item = &ListenerConfig> {
        self.0.iter().flatten().map(|door| match door {
            NextDoor::Ready(ready) => &ready.config,
            NextDoor::Kept(kept) => &kept.0,
        })
    }

    /// Registers the sockets with the current runtime.
    pub fn register(&self) -> io::Result<()> {
        self.ready().try_for_each(|door| door.listener.register())
    }

    /// The addresses that clients will connect to.
    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.ready().map(|door| door.listener.endpoint())
    }

    /// Takes over the files of Unix sockets: the predecessor has retired.
    pub fn claim(&self) {
        self.ready().for_each(|door| door.listener.claim());
    }

    /// Gives the files of Unix sockets to `owner`, unless the configuration names another one.
    pub fn hand_over(&self, owner: Owner) -> io::Result<()> {
        for door in self.ready() {
            let UnixAccess { mode, owner: said } = door.config.unix;
            let owner = Owner {
                user: said.user.or(owner.user),
                group: said.group.or(owner.group),
            };
            door.listener.set_access(UnixAccess { mode, owner })?;
        }
        Ok(())
    }

    pub(super) fn into_services(self) -> impl Iterator<Item = Vec<NextDoor>> {
        self.0.into_iter()
    }
}

impl NextDoor {
    fn ready(door: ReadyDoor) -> Self {
        NextDoor::Ready(Box::new(door))
    }
}

/// A listener for an address. If another listener has the socket, the socket is passed on and not
/// bound anew: clients in its backlog would be refused.
fn ready(wanted: &ListenerConfig, now: &Snapshot) -> Result<ReadyDoor, DoorError> {
    let doors = now.services.iter().flat_map(|service| &service.doors);
    let mut bound = doors.filter(|(config, _)| config.uri.shares_a_socket_with(&wanted.uri));
    match bound.next() {
        Some((_, door)) => Ok(ReadyDoor {
            after: Some(door.clone()),
            ..ReadyDoor::with(wanted, door.listener().again(&wanted.uri)?)?
        }),
        None => ReadyDoor::bind(wanted),
    }
}

fn choose_and_bind(config: &HostConfig, mut given: Vec<Listener>) -> Result<Bound, DoorError> {
    let mut bound = Vec::new();
    for service in &config.services {
        let doors = service.listen.iter().map(|wanted| {
            let fits = |it: &Listener| wanted.uri.admits(it.endpoint());
            match given.iter().position(fits) {
                Some(at) => ReadyDoor::with(wanted, given.remove(at)),
                None => ReadyDoor::bind(wanted),
            }
        });
        let doors = doors.map(|door| door.map(NextDoor::ready));
        bound.push(doors.collect::<Result<_, _>>()?);
    }
    for unwanted in given {
        tracing::warn!(
            "closing {}: passed on to this host, but no service listens there",
            unwanted.endpoint()
        );
    }
    Ok(Bound(bound))
}
