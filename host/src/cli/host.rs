//! A running host, put together: the engine and what it loads, sockets, signals, the control socket.

use super::control::ControlArgs;
use super::descriptors;
use super::operator::ServerOperator;
use super::signals;
use super::watch;
use anyhow::Context;
use echo_host::address::Endpoint;
use echo_host::config::ServeConfig;
use echo_host::control::Predecessor;
use echo_host::engine::Engine;
use echo_host::generation::Candidate;
use echo_host::listener::Listener;
use echo_host::server::{Ends, Server};
use echo_host::swap::Swapper;
use echo_host::tls::Terminator;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Serves until it is told to stop, or until a successor has taken over. Sockets it has `inherited` are served
/// in place of those it would bind.
pub async fn run(
    config: ServeConfig,
    control: &ControlArgs,
    inherited: Vec<OwnedFd>,
) -> anyhow::Result<()> {
    let stop = signals::stop().context("cannot handle signals")?;
    let mut predecessor = control.predecessor()?;
    let engine = Engine::new(
        config.server_limits.max_connections,
        config.guest_limits,
        config.cache.as_deref(),
    )?;
    ask_for_descriptors(config.server_limits.max_connections);
    let (listen, limits, watched) = (config.listen.clone(), config.server_limits, config.watch);
    let (doors, terminator) = (config.doors.clone(), config.terminator()?);
    let swapper = Swapper::begin(engine, config).await?;
    let listeners = match &mut predecessor {
        Some(predecessor) => adopt(predecessor)?,
        None if inherited.is_empty() => listen
            .iter()
            .map(|endpoint| Listener::bind(endpoint, doors.unix))
            .collect::<Result<_, _>>()?,
        None => inherited
            .into_iter()
            .map(Listener::adopt)
            .collect::<Result<_, _>>()
            .context("cannot listen on an inherited socket")?,
    };
    let takes_over = predecessor.is_some();
    let control = control.socket(predecessor, !listen.contains(&Endpoint::Stdio))?;
    log_first(&swapper.generations().current().made_from);
    // They end when they are dropped, with the server.
    let mut beside = JoinSet::new();
    swap_on_request(&mut beside, &swapper, watched, terminator.clone())
        .context("cannot handle signals")?;
    match announce(&listeners) {
        // The host before has retired: somebody has to serve.
        Err(error) if takes_over => tracing::warn!("cannot print the addresses: {error}"),
        announced => announced.context("cannot print the addresses")?,
    }
    let retired = CancellationToken::new();
    let ends = Arc::<Ends>::default();
    let operator = ServerOperator::new(&listeners, swapper.clone(), ends.clone(), retired.clone());
    let admitted = |listener: Listener| {
        let admission = doors.admission(listener.endpoint(), terminator.as_ref());
        (listener, admission)
    };
    let server = Server {
        generations: swapper.generations().clone(),
        listeners: listeners.into_iter().map(admitted).collect(),
        ends,
        limits,
    };
    // In a task of its own, so that signals count while a retired host drains, too.
    let signalled = tokio::spawn(stop);
    let stop = async {
        tokio::select! {
            _ = signalled => {}
            () = retired.cancelled() => {}
        }
    };
    let drained = match control {
        None => server.run(stop).await,
        Some(control) => tokio::select! {
            drained = server.run(stop) => drained,
            never = control.serve(Arc::new(operator)) => match never {},
        },
    };
    match drained.cut {
        0 => tracing::info!("stopped: all connections had finished"),
        cut => tracing::warn!("stopped: {cut} connections were cut (--drain-timeout)"),
    }
    Ok(())
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

fn log_first<H>(first: &Candidate<H>) {
    let Candidate {
        name, tier, terms, ..
    } = first;
    tracing::info!(
        %tier, framing = %terms.framing, max_message_bytes = terms.limits.max_message_bytes,
        "serving {name}"
    );
}

/// Swaps the handler and reads certificates on SIGHUP, each also when its file changes if it is `watched`, and back when it is unfit. Signals are
/// caught from now on.
fn swap_on_request(
    tasks: &mut JoinSet<()>,
    swapper: &Arc<Swapper>,
    watched: bool,
    terminator: Option<Arc<Terminator>>,
) -> io::Result<()> {
    let on_hangup = signals::on_hangup({
        let (swapper, terminator) = (swapper.clone(), terminator.clone());
        async move || {
            if let Some(terminator) = &terminator {
                watch::reload_certificates(terminator).await;
            }
            // A refusal has been logged.
            drop(swapper.swap(None).await);
        }
    })?;
    tasks.spawn(on_hangup);
    tasks.spawn({
        let swapper = swapper.clone();
        async move { swapper.watch_over().await }
    });
    if let Some(terminator) = terminator {
        tasks.spawn(async move {
            if let Err(error) = watch::run_certificates(&terminator).await {
                tracing::error!("{error:#}");
            }
        });
    }
    if watched {
        let swapper = swapper.clone();
        tasks.spawn(async move {
            if let Err(error) = watch::run(&swapper).await {
                tracing::error!("{error:#}");
            }
        });
    }
    Ok(())
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
fn announce(listeners: &[Listener]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    // Standard output is the client's if there is one there.
    let sockets = listeners
        .iter()
        .filter(|it| *it.endpoint() != Endpoint::Stdio);
    for listener in sockets {
        writeln!(stdout, "listening on {}", listener.endpoint())?;
    }
    stdout.flush()
}
