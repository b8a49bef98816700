//! Figures, targets and verdicts as people read them.

use crate::comparison::{Against, Target, Verdict};
use crate::spread::Spread;

/// A figure with its unit, which is the end of its name.
pub fn figure(name: &str, value: f64) -> String {
    if name.ends_with("_us") && value >= 1e4 {
        format!("{:.1} ms", value / 1e3)
    } else if name.contains("_us") {
        format!("{} µs", digits(value))
    } else if name.ends_with("_ms") {
        format!("{} ms", digits(value))
    } else if name.contains("bytes") {
        format!("{} KiB", digits(value / 1024.0))
    } else {
        format!("{value:.0}")
    }
}

/// Three digits, or all before the point.
fn digits(value: f64) -> String {
    let decimals = match value.abs() {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

/// What a figure is, without its unit.
pub fn what(name: &str) -> &str {
    match name {
        "cpu_us_per_message" => "CPU per message",
        "p99_us" => "p99 latency",
        "idle_bytes_per_connection" => "memory, silent",
        "active_bytes_per_connection" => "memory, after a message",
        "first_reply_ms" => "time",
        "held_connections" => "connections",
        other => other,
    }
}

/// The middle and the quartiles of ratios.
pub fn ratios(spread: &Spread) -> String {
    let Spread {
        lower_quartile,
        median,
        upper_quartile,
        ..
    } = spread;
    format!("{median:.2} [{lower_quartile:.2}-{upper_quartile:.2}]")
}

impl Verdict {
    /// What was measured, as a ratio or with its unit.
    pub fn measured(&self) -> String {
        let name = self.comparison.figure;
        match &self.comparison.against {
            Against::RatioTo(other) => format!("{} × {other}", ratios(&self.spread)),
            Against::DifferenceFrom(other) => format!(
                "{} above {other} [{} to {}]",
                figure(name, self.spread.median),
                figure(name, self.spread.lower_quartile),
                figure(name, self.spread.upper_quartile)
            ),
            Against::Itself => format!(
                "{} [{} to {}]",
                figure(name, self.spread.median),
                figure(name, self.spread.lower_quartile),
                figure(name, self.spread.upper_quartile)
            ),
        }
    }

    /// What was wanted.
    pub fn target(&self) -> String {
        match self.comparison.target {
            Target::AtMost(most) => format!("≤ {}", self.value(most)),
            Target::AtLeast(least) => format!("≥ {}", self.value(least)),
            Target::None => String::new(),
        }
    }

    /// Whether that was reached.
    pub fn outcome(&self) -> String {
        match (self.comparison.target, self.missed_by) {
            (Target::None, _) => String::new(),
            (_, None) => "met".to_owned(),
            (_, Some(by)) => format!("missed by {}", self.value(by)),
        }
    }

    fn value(&self, value: f64) -> String {
        match self.comparison.against {
            Against::RatioTo(_) => format!("{value:.2}"),
            _ => figure(self.comparison.figure, value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{ACTIVE, CPU, FIRST_REPLY, HELD, P99};

    #[test]
    fn units_are_those_of_the_names() {
        for (name, value, text) in [
            (CPU, 3.456, "3.46 µs"),
            (P99, 123.4, "123 µs"),
            (P99, 12_345.0, "12.3 ms"),
            (ACTIVE, 49_152.0, "48.0 KiB"),
            (FIRST_REPLY, 99.96, "100 ms"),
            (HELD, 20_000.0, "20000"),
        ] {
            assert_eq!(figure(name, value), text);
        }
    }
}
