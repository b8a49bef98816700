//! What calls of a handler take: their time, by a sample, and the CPU time of all of them.
//!
//! Reading a clock for each call would cost more than everything else here. So of each epoch only
//! the first call is measured. The CPU time is that of a sampling profiler: a call during which an
//! epoch passes has computed for an epoch, on average, whether it is long or short.

use connection::histogram::{Distribution, Histogram};
use connection::limits::EPOCH_TICK;
use nix::time::{ClockId, clock_gettime};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const UP_TO_MICROSECONDS: [u64; 14] = [
    10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000,
    10_000_000, 30_000_000,
];

const UP_TO_BYTES: [u64; 12] = [
    16,
    64,
    256,
    1 << 10,
    4 << 10,
    16 << 10,
    64 << 10,
    256 << 10,
    1 << 20,
    4 << 20,
    16 << 20,
    64 << 20,
];

thread_local! {
    /// The CPU time of this thread when an epoch last passed during a call.
    static CPU: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Measures the calls of a handler, which also count for its service.
#[derive(Debug)]
pub struct CallMeter {
    of_service: Option<Arc<CallMeter>>,
    /// The epoch of the last sample.
    sampled: AtomicU64,
    microseconds: Histogram,
    message_bytes: Histogram,
    cpu_nanoseconds: AtomicU64,
}

/// What calls have taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallFigures {
    /// The times of calls in microseconds: of each epoch, the first.
    pub microseconds: Distribution,
    /// The sizes of their messages, in bytes.
    pub message_bytes: Distribution,
    /// The CPU time of all calls.
    pub cpu: Duration,
}

impl Default for CallMeter {
    fn default() -> Self {
        CallMeter {
            of_service: None,
            // No epoch has this number.
            sampled: AtomicU64::new(u64::MAX),
            microseconds: Histogram::new(&UP_TO_MICROSECONDS),
            message_bytes: Histogram::new(&UP_TO_BYTES),
            cpu_nanoseconds: AtomicU64::new(0),
        }
    }
}

impl CallMeter {
    /// A meter for a handler of the service of this one.
    pub fn for_handler(self: &Arc<Self>) -> Arc<Self> {
        Arc::new(CallMeter {
            of_service: Some(self.clone()),
            ..CallMeter::default()
        })
    }

    /// The start of a call in this epoch, if it is in the sample. The length of its message, if it
    /// has one, is recorded.
    #[inline]
    pub fn sample(&self, epoch: u64, message_bytes: Option<usize>) -> Option<Instant> {
        if self.sampled.load(Ordering::Relaxed) == epoch {
            return None;
        }
        self.begin_sample(epoch, message_bytes)
    }

    #[cold]
    fn begin_sample(&self, epoch: u64, message_bytes: Option<usize>) -> Option<Instant> {
        self.sampled.store(epoch, Ordering::Relaxed);
        if let Some(bytes) = message_bytes {
            self.each(|it| it.message_bytes.record(bytes as u64));
        }
        Some(Instant::now())
    }

    /// Counts a sampled call that began then.
    pub fn record(&self, begun: Instant) {
        let time = begun.elapsed().as_micros();
        let microseconds = u64::try_from(time).unwrap_or(u64::MAX);
        self.each(|it| it.microseconds.record(microseconds));
    }

    /// So many epochs have passed during a call that this thread has just polled. The thread may
    /// have waited for a core meanwhile, so it counts at most its own CPU time.
    pub fn computed(&self, epochs: u64) {
        let clock = ClockId::CLOCK_THREAD_CPUTIME_ID;
        let now = clock_gettime(clock).map_or(Duration::ZERO, Duration::from);
        let since = now.saturating_sub(CPU.replace(now));
        let epochs = u32::try_from(epochs).unwrap_or(u32::MAX);
        let computed = EPOCH_TICK.saturating_mul(epochs).min(since);
        let nanoseconds = u64::try_from(computed.as_nanos()).unwrap_or(u64::MAX);
        self.each(|it| {
            it.cpu_nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        });
    }

    fn each(&self, record: impl Fn(&CallMeter)) {
        record(self);
        self.of_service.iter().for_each(|service| record(service));
    }

    /// What calls have taken so far.
    pub fn figures(&self) -> CallFigures {
        CallFigures {
            microseconds: self.microseconds.distribution(),
            message_bytes: self.message_bytes.distribution(),
            cpu: Duration::from_nanos(self.cpu_nanoseconds.load(Ordering::Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(of: &Distribution) -> u64 {
        of.counts.iter().map(|it| it.1).sum()
    }

    #[test]
    fn the_first_call_of_an_epoch_counts_for_its_handler_and_service() {
        let service = Arc::<CallMeter>::default();
        let handler = service.for_handler();
        let first = handler.sample(0, Some(100)).unwrap();
        assert!(handler.sample(0, Some(100)).is_none());
        handler.record(first);
        let second = handler.sample(1, None).unwrap();
        handler.record(second - Duration::from_secs(60));
        for figures in [handler.figures(), service.figures()] {
            assert_eq!(count(&figures.microseconds), 2);
            assert_eq!(figures.microseconds.counts.last(), Some(&(None, 1)));
            assert!(figures.microseconds.sum >= 60_000_000);
            assert_eq!(count(&figures.message_bytes), 1);
            assert_eq!(figures.message_bytes.sum, 100);
        }
    }

    #[test]
    fn a_thread_computes_no_longer_than_it_has_run() {
        let meter = CallMeter::default();
        std::thread::scope(|scope| {
            scope.spawn(|| meter.computed(u64::MAX));
        });
        assert!(meter.figures().cpu < Duration::from_secs(1));
        meter.computed(1);
        assert!(meter.figures().cpu < Duration::from_secs(1) + EPOCH_TICK);
    }
}
