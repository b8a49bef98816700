//! The host behind the control socket.

use super::connections;
use super::figures::{calls, resident_bytes, workers};
use super::profile;
use super::versions::{generations, moved, unix_seconds, versions};
use crate::control::{
    ConnectionCounts, ListenerStatus, Operator, Profiling, RefusalStatus, Refused, RefusedReload,
    Reloaded, ServiceStatus, Slices, SlotCounts, Status, Swapped, Tapping, Wanted, WantedFile,
};
use crate::host::{Host, ReloadError, Service, WhichService};
use crate::logs::recent;
use crate::swap::{self, Refusal};
use address::Endpoint;
use connection::limits::{Limit, MOVE_REPORT_TIME};
use engine::Slots;
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
            commit: option_env!("ECHO_HOST_COMMIT").map(str::to_owned),
            uptime_seconds: self.started.elapsed().unwrap_or_default().as_secs(),
            resident_bytes: resident_bytes(),
            started_unix_seconds: unix_seconds(self.started),
            services: services.iter().map(service_status).collect(),
            listeners: services.iter().flat_map(listeners).collect(),
            generations: services.iter().flat_map(generations).collect(),
            versions: services.iter().flat_map(versions).collect(),
            connections: connections(open, totals),
            workers: workers(server.workers()),
            slots: slots(self.host.slots()),
            wipe: self.host.config().wipe.to_string(),
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
            last_warnings: recent::warnings(),
        }
    }

    async fn swap(
        &self,
        service: Option<String>,
        handler: Option<WantedFile>,
        allow_imports: Vec<String>,
    ) -> Result<Swapped, Refused> {
        let service = self.host.service(service.as_deref()).map_err(unknown)?;
        let swapper = service.swapper();
        let Some(WantedFile { path, opened }) = handler else {
            return answer(swapper.swap(None, &allow_imports).await).await;
        };
        let mut opened = opened.into_iter().map(File::from);
        let swapped = match opened.next() {
            Some(file) => {
                let signature = opened.next();
                let swap = swapper.swap_opened(path, file, signature, &allow_imports);
                swap.await
            }
            None => swapper.swap(Some(path), &allow_imports).await,
        };
        answer(swapped).await
    }

    async fn roll_back(
        &self,
        service: Option<String>,
        generation: Option<u64>,
    ) -> Result<Swapped, Refused> {
        let service = self.host.service(service.as_deref()).map_err(unknown)?;
        answer(service.swapper().go_to(generation).await).await
    }

    async fn reload(&self) -> Result<Reloaded, Refused> {
        match self.host.reload().await {
            Ok(changes) => Ok(Reloaded { changes }),
            Err(error) => Err(Refused {
                mistakes: error.mistakes(),
                ..refused(&error, ReloadError::detail)
            }),
        }
    }

    async fn connections(
        &self,
        wanted: Wanted,
        measure: Option<Duration>,
    ) -> Result<Slices, Refused> {
        connections::list(&self.host, wanted, measure).await
    }

    fn disconnect(&self, wanted: Wanted, at_once: bool) -> Result<u64, Refused> {
        connections::disconnect(&self.host, wanted, at_once)
    }

    fn tap(&self, wanted: Wanted) -> Result<Tapping, Refused> {
        connections::tap(&self.host, wanted)
    }

    fn profile(&self, service: Option<String>) -> Result<Profiling, Refused> {
        profile::begin(&self.host, service.as_deref())
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
        mistakes: None,
    }
}

/// The answer, when it is known what became of open connections.
async fn answer(swapped: Result<swap::Swapped, Refusal>) -> Result<Swapped, Refused> {
    let (current, replaced, connections) = match swapped {
        Ok(swap::Swapped::Replaced {
            current,
            replaced,
            moves,
        }) => {
            let outcome = moves.settled(MOVE_REPORT_TIME).await;
            (current, replaced, Some(moved(&outcome)))
        }
        Ok(swap::Swapped::Unchanged(current)) => {
            let number = current.number;
            (current, number, None)
        }
        Err(refusal) => return Err(refused(&refusal, Refusal::detail)),
    };
    Ok(Swapped {
        generation: current.number,
        replaced,
        handler: current.made_from.name.clone(),
        sha256: current.made_from.hash.clone(),
        connections,
    })
}

fn connections(open: usize, totals: Totals) -> ConnectionCounts {
    ConnectionCounts {
        open: open as u64,
        total: totals.connections,
    }
}

fn slots(slots: Slots) -> SlotCounts {
    SlotCounts {
        taken: slots.taken,
        total: slots.total,
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
        calls: calls(service.swapper().call_figures()),
    }
}

fn listeners(service: &Service) -> impl Iterator<Item = ListenerStatus> {
    service
        .open_connections()
        .map(|(uri, connections)| ListenerStatus {
            uri,
            service: service.name().to_string(),
            connections: connections as u64,
        })
}
