//! The sockets of a host, opened before it gives up any rights.

use super::inherited::Inherited;
use super::metrics;
use crate::control::Predecessor;
use crate::host::Bound;
use anyhow::Context;
use config::{HostConfig, Sources};
use server::listener::Listener;
use system::descriptors;

/// The sockets of a host that is about to serve.
pub struct Sockets {
    pub bound: Bound,
    pub metrics: Option<Listener>,
}

/// Takes over, inherits or binds all sockets of a host. Later it may lack the rights.
pub fn bind(
    sources: &Sources,
    config: &HostConfig,
    predecessor: &mut Option<Predecessor>,
    inherited: Vec<Inherited>,
) -> anyhow::Result<Sockets> {
    ask_for_descriptors(config.server_limits.max_connections);
    let mut given: Vec<Listener> = match predecessor {
        Some(predecessor) => adopt(predecessor)?,
        None => inherited
            .into_iter()
            .map(Inherited::listener)
            .collect::<Result<_, _>>()?,
    };
    let metrics = metrics::listener(config.metrics.as_ref(), &mut given)?;
    let bound = Bound::new(sources, config, given)?;
    Ok(Sockets { bound, metrics })
}

/// Raises the descriptor limit for the connections, or logs that it is too low.
fn ask_for_descriptors(max_connections: usize) {
    if let Some(limit) = descriptors::allow_many()
        && limit <= max_connections as u64
    {
        tracing::warn!(
            "the limit of {limit} open files is too low for --max-connections {max_connections}; \
             hint: raise it (ulimit -n)"
        );
    }
}

/// The sockets of the predecessor; an error names the URI.
fn adopt(predecessor: &mut Predecessor) -> anyhow::Result<Vec<Listener>> {
    let sockets = predecessor.take_sockets().into_iter();
    sockets
        .map(|(uri, socket)| {
            let fail = || format!("cannot take over {uri}");
            let endpoint = uri.parse().with_context(fail)?;
            Listener::take_over(socket, &endpoint).with_context(fail)
        })
        .collect()
}
