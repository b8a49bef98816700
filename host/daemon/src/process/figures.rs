//! Figures of the process for its status.

use crate::control::{CallStatus, CountStatus, DistributionStatus, WorkerStatus};
use connection::histogram::Distribution;
use engine::CallFigures;
use server::workers::Workers;

/// What calls have taken, for the status.
pub fn calls(figures: CallFigures) -> CallStatus {
    CallStatus {
        microseconds: distribution(figures.microseconds),
        message_bytes: distribution(figures.message_bytes),
        cpu_microseconds: figures.cpu.as_micros() as u64,
    }
}

/// A distribution, for the status.
pub fn distribution(distribution: Distribution) -> DistributionStatus {
    let counts = distribution.counts.into_iter();
    DistributionStatus {
        sum: distribution.sum,
        counts: counts
            .map(|(up_to, count)| CountStatus { up_to, count })
            .collect(),
    }
}

/// The workers, for the status.
pub fn workers(workers: &Workers) -> Vec<WorkerStatus> {
    let workers = workers.all().iter();
    workers
        .map(|worker| WorkerStatus {
            number: worker.index() as u64,
            connections: worker.connections() as u64,
            busy: worker.is_busy(),
        })
        .collect()
}

/// Memory of this process: `VmRSS` in its status (proc(5)), which a process that gave up root may
/// still read.
pub fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}
