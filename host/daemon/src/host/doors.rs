//! Listeners that are bound but not accepting yet, with their admission.

use super::DoorError;
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

/// The first listeners of a host, by service, in the order of the configuration.
pub struct Bound(Vec<Vec<ReadyDoor>>);

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
    /// Binds the listeners of the configuration that are not among the `given` (inherited) sockets.
    /// Without a configuration file, given sockets replace all others.
    pub fn new(
        sources: &Sources,
        config: &HostConfig,
        given: Vec<Listener>,
    ) -> Result<Self, DoorError> {
        match &config.services[..] {
            [_] if sources.file.is_none() && !given.is_empty() => {
                let all = given.into_iter().map(|listener| {
                    let config = sources.listener(listener.endpoint())?;
                    ReadyDoor::with(&config, listener)
                });
                Ok(Bound(vec![all.collect::<Result<_, _>>()?]))
            }
            _ => choose_and_bind(config, given),
        }
    }

    pub(super) fn doors(&self) -> impl Iterator<Item = &ReadyDoor> {
        self.0.iter().flatten()
    }

    /// Registers the sockets with the current runtime.
    pub fn register(&self) -> io::Result<()> {
        let mut doors = self.0.iter().flatten();
        doors.try_for_each(|door| door.listener.register())
    }

    /// The addresses for clients.
    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        let all = self.0.iter().flatten();
        all.map(|door| door.listener.endpoint())
    }

    /// Claims the files of Unix sockets that were taken over, after the predecessor has retired.
    pub fn claim(&self) {
        let doors = self.0.iter().flatten();
        doors.for_each(|door| door.listener.claim());
    }

    /// Gives the files of Unix sockets to `owner`, unless the configuration names another.
    pub fn hand_over(&self, owner: Owner) -> io::Result<()> {
        for door in self.0.iter().flatten() {
            let UnixAccess { mode, owner: said } = door.config.unix;
            let owner = Owner {
                user: said.user.or(owner.user),
                group: said.group.or(owner.group),
            };
            door.listener.set_access(UnixAccess { mode, owner })?;
        }
        Ok(())
    }

    pub(super) fn into_services(self) -> impl Iterator<Item = Vec<ReadyDoor>> {
        self.0.into_iter()
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
