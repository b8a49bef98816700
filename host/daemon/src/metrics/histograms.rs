//! Histograms of each generation, as metrics.

use crate::control::{DistributionStatus, GenerationStatus};
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use std::fmt;

/// Name, help, values, and how many of their units make one of the metric's.
type OfGeneration = (
    &'static str,
    &'static str,
    fn(&GenerationStatus) -> &DistributionStatus,
    f64,
);

const OF_GENERATIONS: [OfGeneration; 3] = [
    (
        "call_duration_seconds",
        "Time of handler calls, of each 5 ms the first call",
        |it| &it.calls.microseconds,
        1e6,
    ),
    (
        "message_bytes",
        "Size of messages, of each 5 ms the first",
        |it| &it.calls.message_bytes,
        1.0,
    ),
    (
        "connection_duration_seconds",
        "How long connections have lasted that have ended",
        |it| &it.connection_milliseconds,
        1e3,
    ),
];

/// Writes all histograms.
pub fn write(
    to: &mut DescriptorEncoder<'_>,
    generations: &[GenerationStatus],
) -> Result<(), fmt::Error> {
    for (name, help, values, units) in OF_GENERATIONS {
        let mut family = to.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for generation in generations {
            let DistributionStatus { sum, counts } = values(generation);
            let bound = |up_to: Option<u64>| up_to.map_or(f64::INFINITY, |it| it as f64 / units);
            let counts: Vec<_> = counts
                .iter()
                .map(|it| (bound(it.up_to), it.count))
                .collect();
            let labels = [
                ("service", generation.service.clone()),
                ("generation", generation.number.to_string()),
            ];
            family
                .encode_family(&labels)?
                .encode_histogram::<NoLabelSet>(
                    *sum as f64 / units,
                    counts.iter().map(|(_, count)| count).sum(),
                    &counts,
                    None,
                )?;
        }
    }
    Ok(())
}
