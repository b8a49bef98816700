//! Runs a host: sockets, services, signals, the control socket.

use super::control;
use super::helper::Helper;
use super::metrics;
use super::operator::HostOperator;
use super::privileges::warn_of_root;
use super::signals::{self, Hangups, HangupsWanted};
use super::sockets::Sockets;
use super::supervisor;
use crate::control::Predecessor;
use crate::host::{Bound, Host};
use crate::logs::output;
use address::Endpoint;
use anyhow::Context;
use config::{HostConfig, Sources};
use engine::Wipe;
use server::listener::Listener;
use server::workers::Workers;
use std::io;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// Serves on these sockets, with these workers, until a stop signal, or until a successor has taken
/// over.
pub async fn run(
    workers: Workers,
    sources: Sources,
    config: HostConfig,
    predecessor: Option<Predecessor>,
    sockets: Sockets,
    helper: Option<Helper>,
    hangups: HangupsWanted,
) -> anyhow::Result<()> {
    let Sockets { bound, metrics } = sockets;
    let _watching = helper.map(Helper::watch).transpose()?;
    let stop = signals::stop().context("cannot handle signals")?;
    let starting = signals::nothing_to_finish().context("cannot handle signals")?;
    let hangups = Hangups::catch(hangups).context("cannot handle signals")?;
    let control_path = config.control.clone();
    let names = metrics::names(config.metrics.as_ref());
    let host = Arc::new(Host::new(workers, sources, config, &bound)?);
    let loaded = host.load().await?;
    drop(starting);
    let takes_over = predecessor.is_some();
    let is_for_one = bound.endpoints().any(|it| *it == Endpoint::Stdio);
    let control = control::socket(control_path.as_ref(), predecessor, !is_for_one)?;
    bound.claim();
    metrics.iter().for_each(Listener::claim);
    warn_of_root();
    warn_of_scanning(&host.config());
    loaded.log(&host.config());
    let addresses = addresses(&bound);
    host.open(bound, loaded).await;
    // Signals and changed files count from here on, so it comes before the addresses are printed.
    let _on_hangup = reload_on_hangup(hangups, &host);
    match announce(addresses).await {
        // The predecessor has retired, so this host must serve.
        Err(error) if takes_over => tracing::warn!("cannot print the addresses: {error}"),
        announced => announced.context("cannot print the addresses")?,
    }
    supervisor::ready();
    let alive = host.clone();
    let alive = async move { supervisor::live(alive.server().workers()).await };
    let _alive = AbortOnDropHandle::new(tokio::spawn(alive));
    let _sweeping = AbortOnDropHandle::new(tokio::spawn(sweep(host.clone())));
    let retired = CancellationToken::new();
    let metrics_handle = metrics.as_ref().map(Listener::handle);
    let operator = Arc::new(HostOperator::new(
        host.clone(),
        metrics_handle,
        retired.clone(),
    ));
    let measuring = metrics::serve(metrics, names, operator.clone(), retired.clone());
    let _measuring = AbortOnDropHandle::new(tokio::spawn(measuring));
    // In a separate task, so that signals also count while a retired host drains.
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
        0 => tracing::info!("stopped: all connections finished"),
        cut => tracing::warn!("stopped: {cut} connections were cut (--drain-timeout)"),
    }
    match host.server().stdio_failure() {
        Some(error) => Err(error).context("standard input or output failed"),
        None => Ok(()),
    }
}

async fn sweep(host: Arc<Host>) {
    host.server().end_idle_connections().await;
}

/// Logs a warning if memory is not wiped as a whole.
fn warn_of_scanning(config: &HostConfig) {
    if config.wipe == Wipe::Scan {
        tracing::warn!(
            "connections are not kept apart from each other (--wipe scan): memory that is swapped \
             out is not wiped for the next instance"
        );
    }
}

/// Reloads the configuration and the handlers on SIGHUP.
fn reload_on_hangup(mut hangups: Hangups, host: &Arc<Host>) -> AbortOnDropHandle<()> {
    let host = host.clone();
    let on_hangup = async move {
        loop {
            hangups.next().await;
            supervisor::reloading();
            // A refusal is already logged.
            let _ = host.reload().await;
            supervisor::ready();
        }
    };
    AbortOnDropHandle::new(tokio::spawn(on_hangup))
}

/// The addresses for clients, one line each. Scripts wait for these lines.
fn addresses(bound: &Bound) -> String {
    // With a client on standard input, standard output belongs to it.
    let endpoints = bound.endpoints().filter(|it| **it != Endpoint::Stdio);
    endpoints
        .map(|endpoint| format!("listening on {endpoint}\n"))
        .collect()
}

async fn announce(addresses: String) -> io::Result<()> {
    if addresses.is_empty() {
        Ok(())
    } else {
        output::print(addresses).await
    }
}
