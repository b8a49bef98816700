//! The figures of a run.

use super::cost::Used;
use super::errors::Errors;
use super::record::Record;
use super::window::Window;
use super::{Plan, Shape};
use hdrhistogram::Histogram;
use serde::Serialize;

/// How fine the distribution is: steps between one percentile and the next that is half as far from 100.
const STEPS_PER_HALVING: u32 = 4;

/// What a run measured. As JSON, fields are keys; their names end in their unit.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What was asked for.
    pub load: Load,
    /// Whether the run was ended before its time.
    pub interrupted: bool,
    /// How long was measured.
    pub measured_s: f64,
    /// Messages that were sent, and due or on their way at some moment of the measured time: the sum of
    /// `replies` and of those errors that are counted by message.
    pub messages: u64,
    /// How many of them got the correct reply, be it after the measured time.
    pub replies: u64,
    /// Messages that were due in an open loop, warm-up included, and could not be sent before its end.
    pub unsent: u64,
    pub errors: Errors,
    /// What the system said about one of the errors of kind `other` or `connect_other`.
    pub other_error: Option<String>,
    pub throughput: Throughput,
    /// From when a message was due, or in a closed loop sent, to when its reply was complete.
    pub latency: Option<Latency>,
    /// How long opening a connection took, for those opened in the measured time.
    pub connect: Option<Latency>,
    pub generator: Generator,
    /// What the server's process used, if it was named and lived to the end.
    pub server: Option<Server>,
}

/// The load that was asked for.
#[derive(Clone, Debug, Serialize)]
pub struct Load {
    pub uri: String,
    pub framing: Shape,
    pub message_bytes: usize,
    pub connections: u32,
    pub threads: usize,
    pub pipeline: usize,
    /// `None` for a closed loop.
    pub rate_per_s: Option<u32>,
    pub messages_per_connection: Option<u64>,
    pub warm_up_s: f64,
    pub duration_s: f64,
    pub timeout_s: f64,
}

/// Correct replies that arrived in the measured time.
#[derive(Clone, Debug, Serialize)]
pub struct Throughput {
    pub messages_per_s: f64,
    /// In one direction.
    pub bytes_per_s: f64,
    /// How long each interval of `replies_per_interval` is; the last may be shorter.
    pub interval_s: f64,
    pub replies_per_interval: Vec<u64>,
}

/// A distribution of times, exact to three digits.
#[derive(Clone, Debug, Serialize)]
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

/// So much of all took no longer than so long.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Point {
    /// 0 to 100.
    pub percentile: f64,
    pub us: f64,
}

/// What the generator itself used in the measured time.
#[derive(Clone, Debug, Serialize)]
pub struct Generator {
    /// User and kernel mode together, for each correct reply.
    pub cpu_us_per_message: Option<f64>,
    /// How many cores it kept busy. Near the number of its threads the generator, not the server, may be
    /// what is measured.
    pub busy_cores: f64,
}

/// What the server's process and its descendants used in the measured time.
#[derive(Clone, Debug, Serialize)]
pub struct Server {
    pub pid: u32,
    /// User and kernel mode together, for each correct reply.
    pub cpu_us_per_message: Option<f64>,
    /// How many cores it kept busy.
    pub busy_cores: f64,
    /// Memory that was resident at the end.
    pub resident_bytes: u64,
}

impl Report {
    pub(super) fn new(plan: &Plan, window: &Window, record: &Record, used: &Used) -> Self {
        let measured_s = window.measured().as_secs_f64();
        let arrived: u64 = record.arrived.iter().sum();
        let (messages_per_s, busy_cores) = match window.measured().is_zero() {
            true => (0.0, 0.0),
            false => (arrived as f64 / measured_s, used.busy_cores),
        };
        let per_message =
            |busy_cores: f64| (arrived > 0).then(|| busy_cores * 1e6 / messages_per_s);
        let intervals = window
            .measured()
            .as_nanos()
            .div_ceil(record.interval.as_nanos());
        Report {
            load: Load::from(plan),
            interrupted: false,
            measured_s,
            messages: record.latency_ns.len() + record.errors.messages(),
            replies: record.latency_ns.len(),
            unsent: record.unsent,
            errors: record.errors.clone(),
            other_error: record.example.clone(),
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
            server: used.server.as_ref().map(|server| Server {
                pid: server.pid,
                cpu_us_per_message: per_message(server.busy_cores),
                busy_cores: server.busy_cores,
                resident_bytes: server.resident_bytes,
            }),
        }
    }

    /// As a JSON object, in one line.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("plain data can be written as JSON")
    }
}

impl From<&Plan> for Load {
    fn from(plan: &Plan) -> Self {
        Load {
            uri: plan.endpoint.to_string(),
            framing: plan.shape,
            message_bytes: plan.message_bytes,
            connections: plan.connections,
            threads: plan.threads.min(plan.connections as usize),
            pipeline: plan.pipeline,
            rate_per_s: plan.rate_per_s,
            messages_per_connection: plan.messages_per_connection,
            warm_up_s: plan.warm_up.as_secs_f64(),
            duration_s: plan.duration.as_secs_f64(),
            timeout_s: plan.timeout.as_secs_f64(),
        }
    }
}

impl Latency {
    /// `None` if there is nothing to tell.
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
