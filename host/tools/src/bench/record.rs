//! What is counted while the load runs.

use super::Plan;
use super::errors::{Errors, Fault, Trouble};
use super::window::Window;
use hdrhistogram::Histogram;
use std::time::{Duration, Instant};

/// Latencies are kept to three digits, from here ...
const FINEST_NS: u64 = 100;
/// ... to here: one hour. What takes longer is counted as that.
const LONGEST_NS: u64 = 3_600_000_000_000;
const DIGITS: u8 = 3;

/// The most intervals that throughput over time is counted in, unless they were longer than a second.
const MAX_FINE_INTERVALS: u32 = 600;

/// A message on its way.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// Its number among the messages of its connection's task.
    pub sequence: u64,
    /// When it was to be sent: its latency counts from here.
    pub due: Instant,
    /// When it was sent.
    pub at: Instant,
}

/// The counts of some connections. What was due or under way at some moment of the window counts; so a server
/// that stops answering is noticed, whenever it stops.
#[derive(Debug)]
pub struct Record {
    /// From when a message was due to when its reply was complete, in nanoseconds.
    pub latency_ns: Histogram<u64>,
    /// How long opening a connection took, in nanoseconds.
    pub connect_ns: Histogram<u64>,
    /// How long an interval of throughput over time is.
    pub interval: Duration,
    /// Correct replies that arrived in each interval of the window.
    pub arrived: Vec<u64>,
    /// Messages that were due in an open loop and could not be sent before its end.
    pub unsent: u64,
    pub errors: Errors,
    /// One of the errors that have no kind of their own.
    pub example: Option<String>,
}

impl Record {
    pub fn new(plan: &Plan) -> Self {
        let histogram = || {
            Histogram::new_with_bounds(FINEST_NS, LONGEST_NS, DIGITS)
                .expect("the bounds are apart and in order")
        };
        let mut interval = Duration::from_millis(100);
        if plan.duration > interval * MAX_FINE_INTERVALS {
            interval = Duration::from_secs(1);
        }
        let intervals = plan.duration.as_nanos().div_ceil(interval.as_nanos());
        Record {
            latency_ns: histogram(),
            connect_ns: histogram(),
            interval,
            arrived: vec![0; usize::try_from(intervals).unwrap_or(0)],
            unsent: 0,
            errors: Errors::default(),
            example: None,
        }
    }

    /// A correct reply is complete. Its message was due, and possibly sent only later.
    pub fn reply(&mut self, window: &Window, sent: &Sent, now: Instant) {
        if window.meets(sent.due, now) {
            let latency = now.saturating_duration_since(sent.due);
            self.latency_ns.saturating_record(nanoseconds(latency));
        }
        if let Some(at) = window.at(now) {
            let interval = nanoseconds(at) / nanoseconds(self.interval);
            self.arrived[interval as usize] += 1;
        }
    }

    /// A message will have no correct reply.
    pub fn lost(&mut self, window: &Window, sent: &Sent, now: Instant, fault: Fault) {
        if window.meets(sent.due, now) {
            self.errors.count(fault);
        }
    }

    /// A connection was opened.
    pub fn opened(&mut self, window: &Window, begun: Instant, now: Instant) {
        if window.meets(begun, now) {
            let time = now.saturating_duration_since(begun);
            self.connect_ns.saturating_record(nanoseconds(time));
        }
    }

    /// A connection could not be opened.
    pub fn not_opened(&mut self, window: &Window, begun: Instant, now: Instant, fault: Fault) {
        if window.meets(begun, now) {
            self.errors.count(fault);
        }
    }

    /// Keeps what the system said if the fault does not say it all.
    pub fn explain(&mut self, trouble: &Trouble) {
        if let (Fault::Other | Fault::ConnectOther, Some(cause), None) =
            (trouble.fault, &trouble.cause, &self.example)
        {
            self.example = Some(cause.to_string());
        }
    }

    /// Adds what another lane has counted.
    pub fn add(&mut self, other: &Record) {
        // Histograms are of one size here, and then this cannot fail.
        let _ = self.latency_ns.add(&other.latency_ns);
        let _ = self.connect_ns.add(&other.connect_ns);
        for (sum, count) in self.arrived.iter_mut().zip(&other.arrived) {
            *sum += count;
        }
        self.unsent += other.unsent;
        self.errors.add(&other.errors);
        self.example = self.example.take().or_else(|| other.example.clone());
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn plan(duration: Duration) -> Plan {
        Plan {
            duration,
            ..Plan::example()
        }
    }

    #[test]
    fn what_was_under_way_counts_and_throughput_is_what_arrived() {
        let start = Instant::now();
        let window = Window::new(start, SECOND, SECOND);
        let mut record = Record::new(&Plan::example());
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        for (sent, now) in [
            (900, 990),
            (950, 1050),
            (1100, 1150),
            (1900, 2100),
            (2000, 2001),
        ] {
            let sent = Sent {
                sequence: 0,
                due: at(sent),
                at: at(sent),
            };
            record.reply(&window, &sent, at(now));
            record.lost(&window, &sent, at(now), Fault::Corrupt);
            record.not_opened(&window, sent.at, at(now), Fault::ConnectOther);
            record.opened(&window, sent.at, at(now));
        }
        assert_eq!(record.latency_ns.len(), 3);
        assert_eq!(record.arrived, [1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!((record.errors.corrupt, record.errors.connect_other), (3, 3));
        assert_eq!(record.connect_ns.len(), 3);
    }

    #[test]
    fn latency_counts_from_when_a_message_was_due() {
        let start = Instant::now();
        let window = Window::new(start, Duration::ZERO, SECOND);
        let mut record = Record::new(&Plan::example());
        let sent = Sent {
            sequence: 0,
            due: start,
            at: start + SECOND / 2,
        };
        record.reply(&window, &sent, start + 2 * SECOND);
        assert_eq!(record.latency_ns.max() / 10_000_000, 200);
    }

    #[test]
    fn records_add_up() {
        let start = Instant::now();
        let window = Window::new(start, Duration::ZERO, SECOND);
        let sent = Sent {
            sequence: 0,
            due: start,
            at: start,
        };
        let mut sum = Record::new(&Plan::example());
        for fault in [Fault::Reset, Fault::Other] {
            let mut record = Record::new(&Plan::example());
            record.reply(&window, &sent, start + SECOND / 2);
            record.lost(&window, &sent, start, fault);
            record.explain(&std::io::Error::other("strange").into());
            sum.add(&record);
        }
        assert_eq!((sum.latency_ns.len(), sum.arrived[5]), (2, 2));
        assert_eq!((sum.errors.reset, sum.errors.other), (1, 1));
        assert_eq!(sum.errors.messages(), 2);
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
