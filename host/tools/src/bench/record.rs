//! Counters of a run.

use super::Plan;
use super::errors::{Errors, Fault};
use super::message::Messages;
use super::schedule::{Schedule, nanoseconds};
use connection::limits::READ_BYTES;
use hdrhistogram::Histogram;
use parking_lot::Mutex;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Latencies are kept to three digits, from here ...
const FINEST_NS: u64 = 100;
/// ... to here: one hour. Longer times count as that.
const LONGEST_NS: u64 = 3_600_000_000_000;
const DIGITS: u8 = 3;

/// The most intervals of throughput over time, unless they are longer than a second.
const MAX_FINE_INTERVALS: u32 = 600;

/// What the connections of a thread share. None holds the lock across a wait; besides the thread,
/// only the progress display takes it.
pub type Lane = Arc<Mutex<Shared>>;

pub struct Shared {
    pub messages: Messages,
    pub received: Box<[u8]>,
    pub record: Record,
}

impl Shared {
    pub fn new(plan: &Plan) -> Self {
        Shared {
            messages: Messages::new(plan.shape, plan.message_bytes, plan.pipeline),
            received: vec![0; READ_BYTES].into(),
            record: Record::new(plan),
        }
    }
}

/// A message in flight.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// Its sequence number in the task of its connection.
    pub sequence: u64,
    /// When it was due: latency counts from here.
    pub due: Instant,
    /// When it was sent.
    pub at: Instant,
}

/// The counts of some connections. Messages that were due or in flight at any time of the measured
/// time count, so that a server that stops replying is noticed.
#[derive(Debug)]
pub struct Record {
    /// From the due time of a message to the end of its reply.
    pub latency_ns: Histogram<u64>,
    /// The time to open a connection.
    pub connect_ns: Histogram<u64>,
    /// The length of an interval of throughput over time.
    pub interval: Duration,
    /// Correct replies that arrived in each interval of the measured time.
    pub arrived: Vec<u64>,
    /// Messages of an open loop that were due but not sent before its end.
    pub unsent: u64,
    pub errors: Errors,
    /// One of the errors that have no kind of their own.
    pub example: Option<String>,
}

impl Record {
    pub fn new(plan: &Plan) -> Self {
        let histogram = Histogram::new_with_bounds(FINEST_NS, LONGEST_NS, DIGITS)
            .expect("the bounds are apart and in order");
        let mut interval = Duration::from_millis(100);
        if plan.duration > interval * MAX_FINE_INTERVALS {
            interval = Duration::from_secs(1);
        }
        let intervals = plan.duration.as_nanos().div_ceil(interval.as_nanos());
        Record {
            latency_ns: histogram.clone(),
            connect_ns: histogram,
            interval,
            arrived: vec![0; usize::try_from(intervals).unwrap_or(0)],
            unsent: 0,
            errors: Errors::default(),
            example: None,
        }
    }

    /// Counts a correct reply. Its message may have been sent after it was due.
    pub fn reply(&mut self, schedule: &Schedule, sent: &Sent, now: Instant) {
        if schedule.meets(sent.due, now) {
            let latency = now.saturating_duration_since(sent.due);
            self.latency_ns.saturating_record(nanoseconds(latency));
        }
        if let Some(at) = schedule.at(now) {
            let interval = nanoseconds(at) / nanoseconds(self.interval);
            self.arrived[interval as usize] += 1;
        }
    }

    /// Counts a message without a correct reply, or a connection that could not be opened.
    pub fn lost(&mut self, schedule: &Schedule, since: Instant, now: Instant, fault: Fault) {
        if schedule.meets(since, now) {
            self.errors.add(fault, 1);
        }
    }

    /// Counts an opened connection.
    pub fn opened(&mut self, schedule: &Schedule, begun: Instant, now: Instant) {
        if schedule.meets(begun, now) {
            let time = now.saturating_duration_since(begun);
            self.connect_ns.saturating_record(nanoseconds(time));
        }
    }

    /// Keeps the system's reason if the kind does not say it all.
    pub fn explain(&mut self, fault: Fault, error: &io::Error) {
        if let Fault::Other | Fault::ConnectOther = fault {
            self.example.get_or_insert_with(|| error.to_string());
        }
    }

    /// Adds the counts of another thread.
    pub fn add(&mut self, other: &Record) {
        // All histograms have the same size, so this cannot fail.
        let _ = self.latency_ns.add(&other.latency_ns);
        let _ = self.connect_ns.add(&other.connect_ns);
        for (sum, count) in self.arrived.iter_mut().zip(&other.arrived) {
            *sum += count;
        }
        self.unsent += other.unsent;
        self.errors.add_all(&other.errors);
        self.example = self.example.take().or_else(|| other.example.clone());
    }
}

#[cfg(test)]
pub mod tests {
    use super::super::Shape;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// One message at a time after one second of warm-up.
    pub fn plan(duration: Duration) -> Plan {
        Plan {
            endpoint: "tcp://127.0.0.1:1".parse().unwrap(),
            shape: Shape::Raw,
            message_bytes: 1,
            connections: 1,
            threads: 1,
            pipeline: 1,
            rate_per_s: None,
            messages_per_connection: None,
            warm_up: SECOND,
            duration,
            timeout: SECOND,
            server_pid: None,
        }
    }

    #[test]
    fn messages_in_flight_count_from_when_they_were_due_and_throughput_counts_arrivals() {
        let start = Instant::now();
        let plan = plan(SECOND);
        let schedule = Schedule::new(&plan, start);
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut sum = Record::new(&plan);
        for (due, now) in [
            (900, 990),
            (950, 1050),
            (1100, 1150),
            (1900, 2100),
            (2000, 2001),
        ] {
            let mut record = Record::new(&plan);
            let sent = Sent {
                sequence: 0,
                due: at(due),
                at: at(now),
            };
            record.reply(&schedule, &sent, at(now));
            record.lost(&schedule, at(due), at(now), Fault::Corrupt);
            record.lost(&schedule, at(due), at(now), Fault::ConnectOther);
            record.opened(&schedule, at(due), at(now));
            record.explain(Fault::Other, &io::Error::other("strange"));
            sum.add(&record);
        }
        assert_eq!((sum.latency_ns.len(), sum.connect_ns.len()), (3, 3));
        assert_eq!(sum.latency_ns.max() / 1_000_000, 200);
        assert_eq!(sum.arrived, [1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!((sum.errors.messages(), sum.errors.total()), (3, 6));
        assert_eq!(sum.errors.to_string(), "3 connect failed, 3 corrupt");
        assert_eq!(sum.example.as_deref(), Some("strange"));
    }

    #[test]
    fn a_long_run_is_counted_by_the_second() {
        let long = Record::new(&plan(3600 * SECOND));
        assert_eq!((long.interval, long.arrived.len()), (SECOND, 3600));
        let odd = Record::new(&plan(Duration::from_millis(250)));
        assert_eq!(odd.arrived.len(), 3);
    }
}
