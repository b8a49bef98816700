//! The generations and versions of a service, for the operator of a host.

use super::figures::{calls, distribution};
use crate::control::{GenerationState, GenerationStatus, MovedConnections, VersionStatus};
use crate::host::Service;
use connection::generation::{Generation, MoveOutcome};
use engine::Serving;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The history of a service.
pub fn versions(service: &Service) -> Vec<VersionStatus> {
    let (reigns, kept) = service.served().generations().history();
    let versions = reigns.into_iter().map(|reign| VersionStatus {
        service: service.name().to_string(),
        number: reign.number,
        handler: reign.name,
        sha256: reign.hash,
        since_unix_seconds: unix_seconds(reign.since),
        until_unix_seconds: reign.end.map(|(until, _)| unix_seconds(until)),
        ended: reign.end.map(|(_, end)| end.to_string()),
        connections: reign.moves.map(|moves| moved(&moves.outcome())),
        kept: kept.contains(&reign.number),
    });
    versions.collect()
}

/// All generations of a service: the current one, the previous one, and those that drain.
pub fn generations(service: &Service) -> Vec<GenerationStatus> {
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
        calls: calls(generation.made_from.handler.call_figures()),
        connection_milliseconds: distribution(generation.durations()),
    }
}

/// What became of open connections at a swap.
pub fn moved(outcome: &MoveOutcome) -> MovedConnections {
    MovedConnections {
        migrated: outcome.migrated as u64,
        stayed: outcome.stayed.values().sum::<usize>() as u64,
        undecided: outcome.undecided as u64,
        summary: outcome.to_string(),
    }
}

/// A time in seconds since 1970.
pub fn unix_seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or(Duration::ZERO).as_secs()
}
