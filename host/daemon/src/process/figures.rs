//! Figures of the process for its status.

use crate::control::{CallTimeCount, CallTimesStatus, WorkerStatus};
use engine::CallTimes;
use server::workers::Workers;

/// How long calls took, for the status.
pub fn call_times(times: CallTimes) -> CallTimesStatus {
    let counts = times.counts.into_iter();
    CallTimesStatus {
        sum_microseconds: times.sum.as_micros() as u64,
        counts: counts
            .map(|(up_to_microseconds, calls)| CallTimeCount {
                up_to_microseconds,
                calls,
            })
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
