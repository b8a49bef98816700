//! The sockets of a host, all of which are there before it gives up any right.

use super::inherited::Inherited;
use super::metrics;
use crate::config::{HostConfig, Sources};
use crate::control::Predecessor;
use crate::host::Bound;
use anyhow::Context;
use server::listener::Listener;
use system::descriptors;

/// The sockets of a host that is about to serve.
pub struct Sockets {
    pub bound: Bound,
    pub metrics: Option<Listener>,
}

/// Takes over, inherits or binds all sockets of a host. Later there may be no right to.
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

/// Lets the host have the descriptors that its connections need, or says that it can't.
fn ask_for_descriptors(max_connections: usize) {
    if let Some(limit) = descriptors::allow_many()
        && limit <= max_connections as u64
    {
        tracing::warn!(
            "the system allows {limit} open files, too few for --max-connections {max_connections}: raise \
             the limit (ulimit -n)"
        );
    }
}

/// The sockets of the host before, with what it calls them where one is unfit.
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
