//! Formats a status as OpenMetrics text, version 1.0.

use super::histograms;
use crate::control::{GenerationState, ServiceStatus, Status};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use std::fmt;

/// The prefix of all metric names.
const PREFIX: &str = "echo_host";

/// The text for `status`.
pub fn exposition(status: Status) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix(PREFIX);
    registry.register_collector(Box::new(Figures(status)));
    let mut text = String::new();
    text::encode(&mut text, &registry)?;
    Ok(text)
}

#[derive(Debug)]
struct Figures(Status);

/// A metric of each service: name, help, type, and value.
type OfService = (
    &'static str,
    &'static str,
    MetricType,
    fn(&ServiceStatus) -> u64,
);

const OF_SERVICES: [OfService; 8] = [
    (
        "connections_open",
        "Open connections",
        MetricType::Gauge,
        |service| service.connections.open,
    ),
    (
        "connections",
        "Connections served, open ones included",
        MetricType::Counter,
        |service| service.connections.total,
    ),
    (
        "turned_away",
        "Clients turned away",
        MetricType::Counter,
        |service| service.turned_away,
    ),
    (
        "received_bytes",
        "Bytes received from clients",
        MetricType::Counter,
        |service| service.received_bytes,
    ),
    (
        "sent_bytes",
        "Bytes sent to clients",
        MetricType::Counter,
        |service| service.sent_bytes,
    ),
    (
        "messages",
        "Messages passed to handlers",
        MetricType::Counter,
        |service| service.messages,
    ),
    (
        "failed_calls",
        "Handler calls that trapped, timed out or ran out of memory",
        MetricType::Counter,
        |service| service.failed_calls,
    ),
    (
        "refused_swaps",
        "Refused swaps",
        MetricType::Counter,
        |service| service.refused_swaps,
    ),
];

impl Collector for Figures {
    fn encode(&self, mut to: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Figures(status) = self;
        for (name, help, kind, figure) in OF_SERVICES {
            let of = |it: &ServiceStatus| (it.name.clone(), figure(it));
            write(
                &mut to,
                name,
                help,
                kind,
                "service",
                status.services.iter().map(of),
            )?;
        }
        let current = status.generations.iter();
        let current = current.filter(|it| it.state == GenerationState::Current);
        write(
            &mut to,
            "generation",
            "Number of the generation that serves new connections",
            MetricType::Gauge,
            "service",
            current.map(|it| (it.service.clone(), it.number)),
        )?;
        write(
            &mut to,
            "limit_reached",
            "Times a limit was reached",
            MetricType::Counter,
            "limit",
            status.limits_reached.clone(),
        )?;
        write(
            &mut to,
            "dropped_datagrams",
            "Dropped datagrams",
            MetricType::Counter,
            "reason",
            status.dropped_datagrams.clone(),
        )?;
        let workers = status.workers.iter();
        write(
            &mut to,
            "worker_connections",
            "Open connections and UDP sessions of a worker",
            MetricType::Gauge,
            "worker",
            workers.map(|it| (it.number.to_string(), it.connections)),
        )?;
        histograms::write(&mut to, &status.generations)?;
        write_guest_cpu(&mut to, &status.services)?;
        write_process(&mut to, status)
    }
}

/// Writes what is known of the process.
fn write_process(to: &mut DescriptorEncoder<'_>, status: &Status) -> Result<(), fmt::Error> {
    let labels = [
        ("version", status.version.clone()),
        ("commit", status.commit.clone().unwrap_or_default()),
    ];
    let mut build = to.encode_descriptor(
        "build_info",
        "Version of the host, and the commit it was built from",
        None,
        MetricType::Gauge,
    )?;
    encode(build.encode_family(&labels)?, MetricType::Gauge, 1)?;
    let resident = status.resident_bytes.map(|bytes| {
        (
            "resident_memory_bytes",
            "Resident memory of the process",
            MetricType::Gauge,
            bytes,
        )
    });
    for (name, help, kind, figure) in [
        (
            "uptime_seconds",
            "Time since the start of the host",
            MetricType::Gauge,
            status.uptime_seconds,
        ),
        (
            "refused_reloads",
            "Refused configuration reloads",
            MetricType::Counter,
            status.refused_reloads,
        ),
        (
            "start_time_seconds",
            "Start time of the host, in seconds since 1970",
            MetricType::Gauge,
            status.started_unix_seconds,
        ),
    ]
    .into_iter()
    .chain(resident)
    {
        let described = to.encode_descriptor(name, help, None, kind)?;
        encode(described, kind, figure)?;
    }
    Ok(())
}

/// Writes the CPU time of guests by service.
fn write_guest_cpu(
    to: &mut DescriptorEncoder<'_>,
    services: &[ServiceStatus],
) -> Result<(), fmt::Error> {
    let mut family = to.encode_descriptor(
        "guest_cpu_seconds",
        "CPU time in calls of handlers",
        None,
        MetricType::Counter,
    )?;
    for service in services {
        let seconds = service.calls.cpu_microseconds as f64 / 1e6;
        let labels = [("service", service.name.clone())];
        ConstCounter::new(seconds).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

/// Writes a metric family with one label.
fn write(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    kind: MetricType,
    label: &str,
    figures: impl IntoIterator<Item = (String, u64)>,
) -> Result<(), fmt::Error> {
    let mut family = to.encode_descriptor(name, help, None, kind)?;
    for (value, figure) in figures {
        let labels = [(label, value)];
        encode(family.encode_family(&labels)?, kind, figure)?;
    }
    Ok(())
}

fn encode(
    to: prometheus_client::encoding::MetricEncoder<'_>,
    kind: MetricType,
    figure: u64,
) -> Result<(), fmt::Error> {
    match kind {
        MetricType::Gauge => ConstGauge::new(figure).encode(to),
        _ => ConstCounter::new(figure).encode(to),
    }
}
