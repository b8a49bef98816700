//! The report of a run.

use super::Plan;
use super::errors::Errors;
use super::process::Meter;
use super::record::Record;
use super::schedule::Schedule;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// The resolution of the distribution: steps between a percentile and the next that is half as far
/// from 100.
const STEPS_PER_HALVING: u32 = 4;

/// The results of a run. As JSON, fields are keys; names end in their unit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// The requested load.
    pub load: Plan,
    /// Whether the run was ended early.
    pub interrupted: bool,
    /// The measured time.
    pub measured_s: f64,
    /// Messages that were sent, and were due or in flight during the measured time: the sum of
    /// `replies` and of errors that count messages.
    pub messages: u64,
    /// How many of them got the correct reply, even after the measured time.
    pub replies: u64,
    /// Messages of an open loop, with the warm-up, that were due but not sent before its end.
    pub unsent: u64,
    pub errors: Errors,
    /// The system's reason of one error of kind `other` or `connect_other`.
    pub other_error: Option<String>,
    pub throughput: Throughput,
    /// From when a message was due (in a closed loop: sent) to the end of its reply.
    pub latency: Option<Latency>,
    /// The time to open a connection, for those opened in the measured time.
    pub connect: Option<Latency>,
    pub generator: Generator,
    /// The resources of the server process, if it was named and lived to the end.
    pub server: Option<Server>,
}

/// Correct replies that arrived in the measured time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Throughput {
    pub messages_per_s: f64,
    /// In one direction.
    pub bytes_per_s: f64,
    /// The length of each interval of `replies_per_interval`; the last may be shorter.
    pub interval_s: f64,
    pub replies_per_interval: Vec<u64>,
}

/// A distribution of times, with three digits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Latency {
    pub count: u64,
    pub min_us: f64,
    pub mean_us: f64,
    pub p50_us: f64,
    pub p90_us: f64,
    pub p99_us: f64,
    pub p99_9_us: f64,
    pub max_us: f64,
    /// From the shortest to the longest.
    pub distribution: Vec<Point>,
}

/// This share of all took at most this time.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Point {
    /// 0 to 100.
    pub percentile: f64,
    pub us: f64,
}

/// The resources of the generator in the measured time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Generator {
    /// User and kernel mode together, for each correct reply.
    pub cpu_us_per_message: Option<f64>,
    /// Cores it kept busy. Close to the number of its threads, the generator may be the bottleneck.
    pub busy_cores: f64,
}

/// The resources of the server process and its descendants in the measured time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Server {
    pub pid: u32,
    /// User and kernel mode together, for each correct reply.
    pub cpu_us_per_message: Option<f64>,
    /// How many cores it kept busy.
    pub busy_cores: f64,
    /// Resident memory at the end.
    pub resident_bytes: u64,
}

impl Report {
    /// `meters` were read at the beginning and near the end of the measured time.
    pub(super) fn new(
        plan: &Plan,
        schedule: &Schedule,
        record: Record,
        [begin, end]: &[Meter; 2],
    ) -> Self {
        let measured = schedule.measured();
        let arrived: u64 = record.arrived.iter().sum();
        // A run that was ended during the warm-up has measured nothing.
        let (messages_per_s, busy_cores) = if measured.is_zero() {
            (0.0, 0.0)
        } else {
            let busy_cores = end.own_cores_since(begin);
            (arrived as f64 / measured.as_secs_f64(), busy_cores)
        };
        let per_message =
            |busy_cores: f64| (arrived > 0).then(|| busy_cores * 1e6 / messages_per_s);
        let intervals = measured.as_nanos().div_ceil(record.interval.as_nanos());
        let server = end.server_since(begin).zip(plan.server_pid);
        Report {
            load: plan.clone(),
            interrupted: false,
            measured_s: measured.as_secs_f64(),
            messages: record.latency_ns.len() + record.errors.messages(),
            replies: record.latency_ns.len(),
            unsent: record.unsent,
            throughput: Throughput {
                messages_per_s,
                bytes_per_s: messages_per_s * plan.message_bytes as f64,
                interval_s: record.interval.as_secs_f64(),
                replies_per_interval: record.arrived[..intervals as usize].to_vec(),
            },
            latency: Latency::of(&record.latency_ns),
            connect: Latency::of(&record.connect_ns),
            generator: Generator {
                cpu_us_per_message: per_message(busy_cores),
                busy_cores,
            },
            server: server.map(|((busy_cores, resident_bytes), pid)| Server {
                pid,
                cpu_us_per_message: per_message(busy_cores),
                busy_cores,
                resident_bytes,
            }),
            errors: record.errors,
            other_error: record.example,
        }
    }

    /// As a JSON object, in one line.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("plain data can be written as JSON")
    }
}

impl Latency {
    /// `None` without values.
    fn of(times_ns: &Histogram<u64>) -> Option<Self> {
        if times_ns.is_empty() {
            return None;
        }
        let at = |quantile| us(times_ns.value_at_quantile(quantile));
        let distribution = times_ns
            .iter_quantiles(STEPS_PER_HALVING)
            .map(|step| Point {
                percentile: step.quantile_iterated_to() * 100.0,
                us: us(step.value_iterated_to()),
            });
        Some(Latency {
            count: times_ns.len(),
            min_us: us(times_ns.min()),
            mean_us: times_ns.mean() / 1e3,
            p50_us: at(0.5),
            p90_us: at(0.9),
            p99_us: at(0.99),
            p99_9_us: at(0.999),
            max_us: us(times_ns.max()),
            distribution: distribution.collect(),
        })
    }
}

fn us(ns: u64) -> f64 {
    ns as f64 / 1e3
}
