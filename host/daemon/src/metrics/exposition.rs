//! A status as text in the OpenMetrics format, version 1.0.

use crate::control::{GenerationState, ServiceStatus, Status};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use std::fmt;

/// What the names of all metrics begin with.
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

/// The figures of each service: name, help, kind, and where they come from.
type OfService = (
    &'static str,
    &'static str,
    MetricType,
    fn(&ServiceStatus) -> u64,
);

const OF_SERVICES: [OfService; 8] = [
    (
        "connections_open",
        "Connections that are open",
        MetricType::Gauge,
        |service| service.connections.open,
    ),
    (
        "connections",
        "Connections that were served, the open ones included",
        MetricType::Counter,
        |service| service.connections.total,
    ),
    (
        "turned_away",
        "Clients that were not served",
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
        "Messages given to handlers",
        MetricType::Counter,
        |service| service.messages,
    ),
    (
        "failed_calls",
        "Calls of handlers that trapped, ran out of time or of memory",
        MetricType::Counter,
        |service| service.failed_calls,
    ),
    (
        "refused_swaps",
        "Swaps that were asked for and refused",
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
            "The number of the handler's version that new clients get",
            MetricType::Gauge,
            "service",
            current.map(|it| (it.service.clone(), it.number)),
        )?;
        write(
            &mut to,
            "limit_reached",
            "How often a limit did what it is there for",
            MetricType::Counter,
            "limit",
            status.limits_reached.clone(),
        )?;
        write(
            &mut to,
            "dropped_datagrams",
            "Datagrams that came to nothing",
            MetricType::Counter,
            "reason",
            status.dropped_datagrams.clone(),
        )?;
        for (name, help, kind, figure) in [
            (
                "refused_reloads",
                "Reloads of the configuration that were refused",
                MetricType::Counter,
                status.refused_reloads,
            ),
            (
                "start_time_seconds",
                "When the host started, in seconds since 1970",
                MetricType::Gauge,
                status.started_unix_seconds,
            ),
        ] {
            let described = to.encode_descriptor(name, help, None, kind)?;
            encode(described, kind, figure)?;
        }
        Ok(())
    }
}

/// Writes a family of metrics that differ in one label.
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
