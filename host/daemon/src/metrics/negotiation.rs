//! Chooses the format of the metrics from the request (RFC 9110, section 12.5.1). Pure.

/// A format of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The text format of Prometheus, 0.0.4: the default.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// The preferred format of these `Accept` values, or text.
    pub fn accepted<'a>(accept: impl Iterator<Item = &'a str>) -> Self {
        let (mut open_metrics, mut text) = (0, 0);
        for range in accept.flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
            let quality = parts
                .find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")))
                .map_or(1000, thousandths);
            match kind.as_str() {
                "application/openmetrics-text" => open_metrics = quality.max(open_metrics),
                "text/plain" | "text/*" | "*/*" => text = quality.max(text),
                _ => {}
            }
        }
        if open_metrics > 0 && open_metrics >= text {
            Format::OpenMetrics
        } else {
            Format::Text
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Format::Text => "text/plain; version=0.0.4; charset=utf-8",
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// Converts `open_metrics` to this format: in Prometheus's own, a counter's description uses
    /// its full name, and there is no end marker.
    pub fn of(self, open_metrics: String) -> String {
        if self == Format::OpenMetrics {
            return open_metrics;
        }
        let is_counter = |line: &str| line.starts_with("# TYPE ") && line.ends_with(" counter");
        let named = |line: &str| line.split(' ').nth(2).unwrap_or_default().to_owned();
        let counters: Vec<_> = open_metrics
            .lines()
            .filter(|line| is_counter(line))
            .map(named)
            .collect();
        let mut text = String::with_capacity(open_metrics.len());
        for line in open_metrics.lines().filter(|line| *line != "# EOF") {
            let about = line.strip_prefix("# ").and_then(|it| it.split_once(' '));
            match about.and_then(|(what, rest)| Some((what, rest.split_once(' ')?))) {
                Some((what, (name, rest))) if counters.iter().any(|it| it == name) => {
                    text.extend(["# ", what, " ", name, "_total ", rest]);
                }
                _ => text.push_str(line),
            }
            text.push('\n');
        }
        text
    }
}

/// A quality value with up to three decimals, in thousandths; 0 if invalid.
fn thousandths(quality: &str) -> u16 {
    let quality: f32 = quality.trim().parse().unwrap_or_default();
    (quality.clamp(0.0, 1.0) * 1000.0) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_the_default_format() {
        use Format::{OpenMetrics, Text};
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.6,\
                          application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.3";
        for (accept, format) in [
            (&[][..], Text),
            (&["*/*"], Text),
            (&["text/html, */*;q=0.8"], Text),
            (&["application/openmetrics-text"], OpenMetrics),
            (
                &["Application/OpenMetrics-Text; version=1.0.0"],
                OpenMetrics,
            ),
            (&[prometheus], OpenMetrics),
            (&["text/plain", "application/openmetrics-text;q=0.9"], Text),
            (&["application/openmetrics-text;q=0"], Text),
            (&["application/openmetrics-text;q=x", "a;q=NaN"], Text),
            (&[",;,", ""], Text),
        ] {
            assert_eq!(
                Format::accepted(accept.iter().copied()),
                format,
                "{accept:?}"
            );
        }
    }

    #[test]
    fn a_counter_has_one_name() {
        let open = "# HELP a Of type counter.\n# TYPE a counter\na_total{l=\"# TYPE b counter\"} 1\n\
                    # HELP b B.\n# TYPE b gauge\nb 2\n# EOF\n";
        let plain = "# HELP a_total Of type counter.\n# TYPE a_total counter\na_total{l=\"# TYPE b counter\"} 1\n\
                     # HELP b B.\n# TYPE b gauge\nb 2\n";
        assert_eq!(Format::Text.of(open.to_owned()), plain);
        assert_eq!(Format::OpenMetrics.of(open.to_owned()), open);
    }
}
