//! Listeners that are bound but not accepting yet, with their admission.

use super::{ListenerError, Snapshot};
use address::Endpoint;
use config::{HostConfig, ListenerConfig, Sources};
use server::admission::Admission;
use server::listener::{Listener, Owner, UnixAccess};
use server::service::ServiceListener;
use server::tls::TlsTerminator;
use std::io;
use std::sync::Arc;

/// A listener that can start accepting; this cannot fail.
pub struct ReadyListener {
    /// Its configuration.
    pub config: ListenerConfig,
    /// The socket.
    pub listener: Listener,
    /// Its admission.
    pub admission: Admission,
    /// The listener that has the same socket until then.
    pub after: Option<ServiceListener>,
}

/// A listener that a service is going to have.
pub enum NextListener {
    /// One that it has already.
    Kept(Box<(ListenerConfig, ServiceListener)>),
    /// A new one.
    Ready(Box<ReadyListener>),
}

/// The listeners of all services, in the order of the configuration. All are bound.
pub struct Bound(Vec<Vec<NextListener>>);

impl ReadyListener {
    /// Binds a new socket.
    pub fn bind(config: &ListenerConfig) -> Result<Self, ListenerError> {
        let terminator = terminator(config)?;
        let listener = Listener::bind(&config.uri, config.unix, &config.socket)?;
        Ok(ReadyListener::new(config.clone(), listener, terminator))
    }

    /// Uses an existing socket.
    pub(super) fn with(config: &ListenerConfig, listener: Listener) -> Result<Self, ListenerError> {
        listener.check_access(config.unix)?;
        let terminator = terminator(config)?;
        Ok(ReadyListener::new(config.clone(), listener, terminator))
    }

    fn new(config: ListenerConfig, listener: Listener, tls: Option<Arc<TlsTerminator>>) -> Self {
        let admission = Admission {
            listener: listener.endpoint().to_string().into(),
            access: config.access.clone(),
            proxies: config.proxies.clone(),
            tls,
            telnet: config.telnet,
            starts_in_clear: !config.uri.has_tls(),
            websocket: config.websocket.clone(),
            limit: config.handshake_timeout,
            datagrams: config.datagrams,
        };
        if admission.later_tls().is_some() {
            let listener = &admission.listener;
            tracing::info!("{listener} begins in clear, and lets handlers start TLS");
        }
        ReadyListener {
            config,
            listener,
            admission,
            after: None,
        }
    }
}

fn terminator(config: &ListenerConfig) -> Result<Option<Arc<TlsTerminator>>, ListenerError> {
    let tls = config.tls.clone();
    Ok(tls.map(TlsTerminator::new).transpose()?.map(Arc::new))
}

impl Bound {
    /// Binds the listeners of a new host: what the configuration wants and is not among the sockets
    /// that were `given` by other processes. Without a configuration file, the given ones, if there
    /// are any, are all.
    pub fn new(
        sources: &Sources,
        config: &HostConfig,
        given: Vec<Listener>,
    ) -> Result<Self, ListenerError> {
        match &config.services[..] {
            [_] if sources.file.is_none() && !given.is_empty() => {
                let all = given.into_iter().map(|listener| {
                    let config = sources.listener(listener.endpoint())?;
                    Ok(NextListener::ready(ReadyListener::with(&config, listener)?))
                });
                Ok(Bound(vec![all.collect::<Result<_, ListenerError>>()?]))
            }
            _ => choose_and_bind(config, given),
        }
    }

    /// Binds what `next` wants and is not open `now`.
    pub(super) fn next(now: &Snapshot, next: &HostConfig) -> Result<Self, ListenerError> {
        let services = next.services.iter().map(|config| {
            let old = now.service(&config.name);
            let mut kept = old.map_or(Vec::new(), |service| service.listeners.clone());
            let listeners = config.listen.iter().map(|wanted| {
                Ok(match kept.iter().position(|(config, _)| config == wanted) {
                    Some(at) => NextListener::Kept(Box::new(kept.remove(at))),
                    None => NextListener::ready(ready(wanted, now)?),
                })
            });
            listeners.collect()
        });
        services.collect::<Result<_, _>>().map(Bound)
    }

    fn ready(&self) -> impl Iterator<Item = &ReadyListener> {
        self.0
            .iter()
            .flatten()
            .filter_map(|listener| match listener {
                NextListener::Ready(ready) => Some(&**ready),
                NextListener::Kept(_) => None,
            })
    }

    /// The configuration of each listener.
    pub(super) fn configs(&self) -> impl Iterator<Item = &ListenerConfig> {
        self.0.iter().flatten().map(|listener| match listener {
            NextListener::Ready(ready) => &ready.config,
            NextListener::Kept(kept) => &kept.0,
        })
    }

    /// The addresses that clients will connect to.
    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.ready().map(|listener| listener.listener.endpoint())
    }

    /// Takes over the files of Unix sockets: the predecessor has retired.
    pub fn claim(&self) {
        self.ready().for_each(|listener| listener.listener.claim());
    }

    /// Gives the files of Unix sockets to `owner`, unless the configuration names another one.
    pub fn hand_over(&self, owner: Owner) -> io::Result<()> {
        for listener in self.ready() {
            let UnixAccess { mode, owner: said } = listener.config.unix;
            let owner = Owner {
                user: said.user.or(owner.user),
                group: said.group.or(owner.group),
            };
            listener.listener.set_access(UnixAccess { mode, owner })?;
        }
        Ok(())
    }

    pub(super) fn into_services(self) -> impl Iterator<Item = Vec<NextListener>> {
        self.0.into_iter()
    }
}

impl NextListener {
    fn ready(listener: ReadyListener) -> Self {
        NextListener::Ready(Box::new(listener))
    }
}

/// A listener for an address. If another listener has the socket, the socket is passed on and not
/// bound anew: clients in its backlog would be refused.
fn ready(wanted: &ListenerConfig, now: &Snapshot) -> Result<ReadyListener, ListenerError> {
    let listeners = now.services.iter().flat_map(|service| &service.listeners);
    let mut bound = listeners.filter(|(config, _)| config.uri.shares_a_socket_with(&wanted.uri));
    match bound.next() {
        Some((_, listener)) => Ok(ReadyListener {
            after: Some(listener.clone()),
            ..ReadyListener::with(wanted, listener.handle().again(&wanted.uri)?)?
        }),
        None => ReadyListener::bind(wanted),
    }
}

fn choose_and_bind(config: &HostConfig, mut given: Vec<Listener>) -> Result<Bound, ListenerError> {
    let mut bound = Vec::new();
    for service in &config.services {
        let listeners = service.listen.iter().map(|wanted| {
            let fits = |it: &Listener| wanted.uri.admits(it.endpoint());
            match given.iter().position(fits) {
                Some(at) => ReadyListener::with(wanted, given.remove(at).serving(&wanted.uri)),
                None => ReadyListener::bind(wanted),
            }
        });
        let listeners = listeners.map(|listener| listener.map(NextListener::ready));
        bound.push(listeners.collect::<Result<_, _>>()?);
    }
    for unwanted in given {
        tracing::warn!(
            "closing {}: passed on to this host, but no service listens there",
            unwanted.endpoint()
        );
    }
    Ok(Bound(bound))
}
