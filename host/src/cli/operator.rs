//! The host behind the control socket.

use echo_host::address::Endpoint;
use echo_host::control::{
    ConnectionCounts, GenerationState, GenerationStatus, ListenerStatus, Operator, RefusalStatus,
    Refused, Status, Swapped,
};
use echo_host::engine::Serving;
use echo_host::generation::Generation;
use echo_host::listener::{Listener, ListenerHandle};
use echo_host::outbox::Traffic;
use echo_host::server::Ends;
use echo_host::swap::{self, Refusal, Swapper};
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio_util::sync::CancellationToken;

/// What the control socket asks about a server.
pub struct ServerOperator {
    started: SystemTime,
    listeners: Vec<ListenerHandle>,
    swapper: Arc<Swapper>,
    ends: Arc<Ends>,
    retired: CancellationToken,
}

impl ServerOperator {
    /// An operator of the server with these listeners. It cancels `retired` when a successor serves.
    pub fn new(
        listeners: &[Listener],
        swapper: Arc<Swapper>,
        ends: Arc<Ends>,
        retired: CancellationToken,
    ) -> Self {
        ServerOperator {
            started: SystemTime::now(),
            listeners: listeners.iter().map(Listener::handle).collect(),
            swapper,
            ends,
            retired,
        }
    }

    /// All generations there are: the current one, the one before it, and those that finish.
    fn generations(&self) -> Vec<(GenerationState, Arc<Generation<Serving>>)> {
        let generations = self.swapper.generations();
        let mut all = vec![(GenerationState::Current, generations.current())];
        let previous = generations.previous();
        all.extend(previous.map(|it| (GenerationState::Previous, it)));
        for old in generations.old() {
            if all.iter().all(|(_, known)| known.number != old.number) {
                all.push((GenerationState::Old, old));
            }
        }
        all
    }
}

impl Operator for ServerOperator {
    fn status(&self) -> Status {
        let ended = self.ends.totals();
        let generations = self.generations();
        let open: u64 = generations.iter().map(|(_, it)| it.live() as u64).sum();
        let live = generations.iter().map(|(_, it)| it.live_traffic());
        let traffic: Traffic = live.chain([ended.traffic]).sum();
        let (refused_swaps, last_refusal) = self.swapper.refusals();
        Status {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").into(),
            started_unix_seconds: unix_seconds(self.started),
            listeners: self.listeners.iter().map(listener_status).collect(),
            generations: generations.iter().map(generation_status).collect(),
            connections: ConnectionCounts {
                open,
                total: ended.connections + open,
            },
            received_bytes: traffic.received_bytes,
            sent_bytes: traffic.sent_bytes,
            messages: traffic.messages,
            failed_calls: ended.failed_calls,
            refused_swaps,
            last_refusal: last_refusal.map(|refusal| RefusalStatus {
                at_unix_seconds: unix_seconds(refusal.at),
                handler: refusal.handler,
                reason: refusal.reason,
            }),
        }
    }

    async fn swap(&self, handler: Option<PathBuf>) -> Result<Swapped, Refused> {
        answer(self.swapper.swap(handler).await)
    }

    async fn roll_back(&self) -> Result<Swapped, Refused> {
        answer(self.swapper.roll_back().await)
    }

    fn listeners(&self) -> io::Result<Vec<(String, OwnedFd)>> {
        let sockets = self
            .listeners
            .iter()
            .filter(|it| *it.endpoint() != Endpoint::Stdio);
        sockets
            .map(|listener| Ok((listener.endpoint().to_string(), listener.duplicate()?)))
            .collect()
    }

    fn retire(&self) {
        self.listeners.iter().for_each(ListenerHandle::give_up);
        self.retired.cancel();
    }
}

fn answer(swapped: Result<swap::Swapped, Refusal>) -> Result<Swapped, Refused> {
    let (current, replaced) = match swapped {
        Ok(swap::Swapped::Replaced { current, replaced }) => (current, replaced),
        Ok(swap::Swapped::Unchanged(current)) => {
            let number = current.number;
            (current, number)
        }
        Err(refusal) => {
            return Err(Refused {
                reason: refusal.to_string(),
                detail: refusal.detail().map(str::to_owned),
            });
        }
    };
    Ok(Swapped {
        generation: current.number,
        replaced,
        handler: current.made_from.name.clone(),
        sha256: current.made_from.hash.clone(),
    })
}

fn listener_status(listener: &ListenerHandle) -> ListenerStatus {
    ListenerStatus {
        uri: listener.endpoint().to_string(),
    }
}

fn generation_status(
    (state, generation): &(GenerationState, Arc<Generation<Serving>>),
) -> GenerationStatus {
    let age = SystemTime::now().duration_since(generation.since);
    GenerationStatus {
        number: generation.number,
        state: *state,
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
