//! A running host, put together: what it loads, sockets, signals, the control socket.

use super::control;
use super::descriptors;
use super::inherited::Inherited;
use super::metrics;
use super::operator::HostOperator;
use super::output;
use super::privileges::become_user;
use super::signals::{self, Hangups, HangupsWanted};
use super::supervisor;
use anyhow::Context;
use echo_host::address::Endpoint;
use echo_host::config::{HostConfig, Sources};
use echo_host::control::Predecessor;
use echo_host::host::{Bound, Host, Service};
use echo_host::listener::Listener;
use std::io;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// Serves until it is told to stop, or until a successor has taken over. Sockets it has `inherited` are served
/// in place of those it would bind.
pub async fn run(
    sources: Sources,
    config: HostConfig,
    mut predecessor: Option<Predecessor>,
    inherited: Vec<Inherited>,
    hangups: HangupsWanted,
) -> anyhow::Result<()> {
    let stop = signals::stop().context("cannot handle signals")?;
    let starting = signals::nothing_to_finish().context("cannot handle signals")?;
    let hangups = Hangups::catch(hangups).context("cannot handle signals")?;
    let place = config.control.clone();
    ask_for_descriptors(config.server_limits.max_connections);
    let mut given: Vec<Listener> = match &mut predecessor {
        Some(predecessor) => adopt(predecessor)?,
        None => inherited
            .into_iter()
            .map(Inherited::listener)
            .collect::<Result<_, _>>()?,
    };
    // First of all, and before anything of the operator's is run: later there may be no right to.
    let names = metrics::names(config.metrics.as_ref());
    let metrics = metrics::listener(config.metrics.as_ref(), &mut given)?;
    let bound = Bound::new(&sources, &config, given)?;
    if let Some(user) = &config.user {
        become_user(user, &bound, metrics.as_ref())?;
    }
    let host = Arc::new(Host::load(sources, config, &bound).await?);
    drop(starting);
    let takes_over = predecessor.is_some();
    let is_for_one = bound.endpoints().any(|it| *it == Endpoint::Stdio);
    let control = control::socket(place.as_ref(), predecessor, !is_for_one)?;
    bound.claim();
    metrics.iter().for_each(Listener::claim);
    host.services().iter().for_each(log_first);
    let _on_hangup = reload_on_hangup(hangups, &host);
    match announce(&bound).await {
        // The host before has retired: somebody has to serve.
        Err(error) if takes_over => tracing::warn!("cannot print the addresses: {error}"),
        announced => announced.context("cannot print the addresses")?,
    }
    host.open(bound);
    supervisor::ready();
    let _alive = AbortOnDropHandle::new(tokio::spawn(supervisor::live()));
    let retired = CancellationToken::new();
    let place = metrics.as_ref().map(Listener::handle);
    let operator = Arc::new(HostOperator::new(host.clone(), place, retired.clone()));
    let measuring = metrics::serve(metrics, names, operator.clone(), retired.clone());
    let _measuring = AbortOnDropHandle::new(tokio::spawn(measuring));
    // In a task of its own, so that signals count while a retired host drains, too.
    let signalled = tokio::spawn(stop);
    let serving = async {
        tokio::select! {
            _ = signalled => {}
            () = retired.cancelled() => {}
            () = host.exhausted() => {}
        }
        supervisor::stopping();
        host.stop().await
    };
    let drained = match control {
        None => serving.await,
        Some(control) => tokio::select! {
            drained = serving => drained,
            never = control.serve(operator) => match never {},
        },
    };
    match drained.cut {
        0 => tracing::info!("stopped: all connections had finished"),
        cut => tracing::warn!("stopped: {cut} connections were cut (--drain-timeout)"),
    }
    match host.server().stdio_failure() {
        Some(error) => Err(error).context("standard input or output failed"),
        None => Ok(()),
    }
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

fn log_first(service: &Service) {
    let current = service.swapper().generations().current();
    let first = &current.made_from;
    service.in_scope(|| {
        tracing::info!(
            tier = %first.tier, framing = %first.terms.framing,
            max_message_bytes = first.terms.limits.max_message_bytes,
            "serving {}", first.name
        );
    });
}

/// Reads the configuration and the handlers again on SIGHUP.
fn reload_on_hangup(mut hangups: Hangups, host: &Arc<Host>) -> AbortOnDropHandle<()> {
    let host = host.clone();
    let on_hangup = async move {
        loop {
            hangups.next().await;
            supervisor::reloading();
            // A refusal has been logged.
            let _ = host.reload().await;
            supervisor::ready();
        }
    };
    AbortOnDropHandle::new(tokio::spawn(on_hangup))
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

/// Prints where clients can connect to, one line each. Scripts wait for these lines.
async fn announce(bound: &Bound) -> io::Result<()> {
    // Standard output is the client's if there is one there.
    let endpoints = bound.endpoints().filter(|it| **it != Endpoint::Stdio);
    let lines: String = endpoints
        .map(|endpoint| format!("listening on {endpoint}\n"))
        .collect();
    match lines.is_empty() {
        true => Ok(()),
        false => output::print(lines).await,
    }
}
