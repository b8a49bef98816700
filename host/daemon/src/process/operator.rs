//! The host behind the control socket.

use crate::control::{
    ConnectionCounts, GenerationState, GenerationStatus, ListenerStatus, Operator, PlaceCounts,
    RefusalStatus, Refused, RefusedReload, Reloaded, ServiceStatus, Status, Swapped, WantedFile,
};
use crate::host::{Host, ReloadError, Service, WhichService};
use crate::swap::{self, Refusal};
use connection::address::Endpoint;
use connection::generation::Generation;
use connection::limits::Limit;
use engine::{Places, Serving};
use server::listener::ListenerHandle;
use server::service::Totals;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio_util::sync::CancellationToken;

/// The operator of a host.
pub struct HostOperator {
    started: SystemTime,
    host: Arc<Host>,
    metrics: Option<ListenerHandle>,
    retired: CancellationToken,
}

impl HostOperator {
    /// The operator of this host and its metrics listener, if any. Cancels `retired` when a
    /// successor serves.
    pub fn new(
        host: Arc<Host>,
        metrics: Option<ListenerHandle>,
        retired: CancellationToken,
    ) -> Self {
        HostOperator {
            started: SystemTime::now(),
            host,
            metrics,
            retired,
        }
    }
}

impl Operator for HostOperator {
    fn status(&self) -> Status {
        let services = self.host.services();
        let server = self.host.server();
        let totals = server.stats().totals(|| server.live().1);
        let open = server.live().0;
        let refusals = services.iter().map(|it| it.swapper().refusals());
        let (refused_swaps, last) = refusals.fold((0, None), |(sum, last), (count, refusal)| {
            let later = refusal.into_iter().chain(last).max_by_key(|it| it.at);
            (sum + count, later)
        });
        let (refused_reloads, last_reload) = self.host.refusals();
        Status {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").into(),
            started_unix_seconds: unix_seconds(self.started),
            services: services.iter().map(service_status).collect(),
            listeners: services.iter().flat_map(listeners).collect(),
            generations: services.iter().flat_map(generations).collect(),
            connections: connections(open, totals),
            places: places(self.host.places()),
            received_bytes: totals.traffic.received_bytes,
            sent_bytes: totals.traffic.sent_bytes,
            messages: totals.traffic.messages,
            turned_away: totals.turned_away,
            failed_calls: totals.failed_calls,
            limits_reached: named(Limit::all()),
            dropped_datagrams: named(server.dropped_datagrams()),
            refused_swaps,
            last_refusal: last.map(|refusal| RefusalStatus {
                at_unix_seconds: unix_seconds(refusal.at),
                handler: refusal.subject,
                reason: refusal.reason,
            }),
            refused_reloads,
            last_refused_reload: last_reload.map(|refusal| RefusedReload {
                at_unix_seconds: unix_seconds(refusal.at),
                reason: refusal.reason,
            }),
        }
    }

    async fn swap(
        &self,
        service: Option<String>,
        handler: Option<WantedFile>,
    ) -> Result<Swapped, Refused> {
        let service = self.host.service(service.as_deref()).map_err(unknown)?;
        let swapper = service.swapper();
        let Some(WantedFile { path, opened }) = handler else {
            return answer(swapper.swap(None).await);
        };
        let mut opened = opened.into_iter().map(File::from);
        answer(match opened.next() {
            Some(file) => swapper.swap_opened(path, file, opened.next()).await,
            None => swapper.swap(Some(path)).await,
        })
    }

    async fn roll_back(&self, service: Option<String>) -> Result<Swapped, Refused> {
        let service = self.host.service(service.as_deref()).map_err(unknown)?;
        answer(service.swapper().roll_back().await)
    }

    async fn reload(&self) -> Result<Reloaded, Refused> {
        match self.host.reload().await {
            Ok(changes) => Ok(Reloaded { changes }),
            Err(error) => Err(refused(&error, ReloadError::detail)),
        }
    }

    fn listeners(&self) -> io::Result<Vec<(String, OwnedFd)>> {
        let services = self.host.services();
        let listeners = services.iter().flat_map(Service::listeners);
        let listeners = listeners.chain(&self.metrics);
        let sockets = listeners.filter(|it| *it.endpoint() != Endpoint::Stdio);
        sockets
            .map(|listener| Ok((listener.endpoint().to_string(), listener.duplicate()?)))
            .collect()
    }

    fn retire(&self) {
        for service in self.host.services().iter() {
            service.listeners().for_each(ListenerHandle::give_up);
        }
        self.metrics.iter().for_each(ListenerHandle::give_up);
        // Before the successor gets the reply: later clients belong to it.
        self.host.server().close();
    }

    fn leave(&self) {
        self.retired.cancel();
    }
}

fn unknown(error: WhichService) -> Refused {
    refused(&error, |_| None)
}

fn refused<E: ToString>(error: &E, detail: impl Fn(&E) -> Option<&str>) -> Refused {
    Refused {
        reason: error.to_string(),
        detail: detail(error).map(str::to_owned),
    }
}

fn answer(swapped: Result<swap::Swapped, Refusal>) -> Result<Swapped, Refused> {
    let (current, replaced) = match swapped {
        Ok(swap::Swapped::Replaced { current, replaced }) => (current, replaced),
        Ok(swap::Swapped::Unchanged(current)) => {
            let number = current.number;
            (current, number)
        }
        Err(refusal) => return Err(refused(&refusal, Refusal::detail)),
    };
    Ok(Swapped {
        generation: current.number,
        replaced,
        handler: current.made_from.name.clone(),
        sha256: current.made_from.hash.clone(),
    })
}

fn connections(open: usize, totals: Totals) -> ConnectionCounts {
    ConnectionCounts {
        open: open as u64,
        total: totals.connections,
    }
}

fn places(places: Places) -> PlaceCounts {
    PlaceCounts {
        taken: places.taken,
        total: places.total,
    }
}

fn named(counts: impl Iterator<Item = (&'static str, u64)>) -> BTreeMap<String, u64> {
    counts
        .map(|(name, count)| (name.to_owned(), count))
        .collect()
}

fn service_status(service: &Service) -> ServiceStatus {
    let generations = service.served().generations();
    let totals = service.served().stats().totals(|| generations.live().1);
    let open = generations.live().0;
    ServiceStatus {
        name: service.name().to_string(),
        connections: connections(open, totals),
        received_bytes: totals.traffic.received_bytes,
        sent_bytes: totals.traffic.sent_bytes,
        messages: totals.traffic.messages,
        turned_away: totals.turned_away,
        failed_calls: totals.failed_calls,
        refused_swaps: service.swapper().refusals().0,
    }
}

fn listeners(service: &Service) -> impl Iterator<Item = ListenerStatus> {
    service.listeners().map(|listener| ListenerStatus {
        uri: listener.endpoint().to_string(),
        service: service.name().to_string(),
    })
}

/// All generations of a service: the current one, the previous one, and those that drain.
fn generations(service: &Service) -> Vec<GenerationStatus> {
    let generations = service.served().generations();
    let (current, previous) = (generations.current(), generations.previous());
    let old = generations.old().into_iter().filter(|old| {
        let known = |it: &Arc<Generation<Serving>>| it.number == old.number;
        !known(&current) && !previous.as_ref().is_some_and(known)
    });
    let old: Vec<_> = old.collect();
    let all = [(GenerationState::Current, &current)].into_iter();
    let all = all.chain(previous.iter().map(|it| (GenerationState::Previous, it)));
    let all = all.chain(old.iter().map(|it| (GenerationState::Old, it)));
    all.map(|(state, generation)| generation_status(service, state, generation))
        .collect()
}

fn generation_status(
    service: &Service,
    state: GenerationState,
    generation: &Generation<Serving>,
) -> GenerationStatus {
    let age = SystemTime::now().duration_since(generation.since);
    GenerationStatus {
        service: service.name().to_string(),
        number: generation.number,
        state,
        handler: generation.made_from.name.clone(),
        sha256: generation.made_from.hash.clone(),
        age_seconds: age.unwrap_or_default().as_secs(),
        connections: generation.live() as u64,
        failed_calls: generation.failed_calls(),
    }
}

fn unix_seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or(Duration::ZERO).as_secs()
}
