//! Formats the report for people.

use super::report::{Latency, Report};
use super::{Plan, Shape};
use bytesize::ByteSize;
use std::fmt::{self, Display, Formatter};

/// The share of time that the generator's threads may be busy before it may be slower than the
/// server.
const SUSPICIOUSLY_BUSY: f64 = 0.95;

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (load, throughput, generator) = (&self.load, &self.throughput, &self.generator);
        writeln!(f, "{load}\n")?;
        let early = if self.interrupted {
            ", ended early"
        } else {
            ""
        };
        let (measured_s, warm_up_s) = (self.measured_s, load.warm_up.as_secs_f64());
        writeln!(
            f,
            "measured    {measured_s:.1} s after {warm_up_s:.1} s of warm-up{early}"
        )?;
        let bytes = ByteSize(throughput.bytes_per_s as u64);
        let per_s = throughput.messages_per_s;
        writeln!(f, "throughput  {per_s:.0} messages/s, {bytes}/s each way")?;
        writeln!(
            f,
            "messages    {} sent, {} echoed",
            self.messages, self.replies
        )?;
        writeln!(f, "errors      {}", self.errors)?;
        if let Some(error) = &self.other_error {
            writeln!(f, "            such as: {error}")?;
        }
        if let Some(latency) = &self.latency {
            writeln!(f, "latency     {latency}")?;
        }
        if let Some(connect) = &self.connect {
            let opened = count(connect.count, "connection");
            writeln!(
                f,
                "connect     {connect}\n            {opened} opened again"
            )?;
        }
        let busy = |cpu_us: f64, cores: f64| {
            format!("{} of CPU a message, {cores:.2} cores busy", Time(cpu_us))
        };
        if let Some(cpu_us) = generator.cpu_us_per_message {
            let threads = count(load.threads as u64, "thread");
            let busy = busy(cpu_us, generator.busy_cores);
            writeln!(f, "generator   {busy} with {threads}")?;
        }
        if let Some(server) = &self.server {
            let busy = match server.cpu_us_per_message {
                Some(cpu_us) => busy(cpu_us, server.busy_cores),
                None => format!("{:.2} cores busy", server.busy_cores),
            };
            let memory = ByteSize(server.resident_bytes);
            writeln!(f, "server      {busy}, {memory} resident")?;
        }
        if generator.busy_cores > SUSPICIOUSLY_BUSY * load.threads as f64 {
            let why =
                "The generator was busy all the time: the server may be faster than measured.";
            writeln!(f, "\n{why}")?;
        }
        if self.unsent > 0 {
            let unsent = count(self.unsent, "message");
            writeln!(
                f,
                "\nThe server did not keep up: {unsent} were due but not sent before the end."
            )?;
        }
        Ok(())
    }
}

impl Display for Plan {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let shape = match self.shape {
            Shape::Lines => "lines",
            Shape::Raw => "messages",
        };
        let connections = count(self.connections.into(), "connection");
        let size = count(self.message_bytes as u64, "byte");
        write!(f, "{}: {connections}, {shape} of {size}, ", self.endpoint)?;
        match self.rate_per_s {
            Some(rate) => write!(f, "open loop of {rate} messages/s")?,
            None => f.write_str("closed loop")?,
        }
        if self.pipeline > 1 {
            write!(f, ", up to {} in flight on each", self.pipeline)?;
        }
        if let Some(share) = self.messages_per_connection {
            write!(f, ", a new connection after {share}")?;
        }
        Ok(())
    }
}

impl Display for Latency {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let percentiles = [self.p50_us, self.p90_us, self.p99_us, self.p99_9_us];
        let [p50, p90, p99, p99_9] = percentiles.map(Time);
        let (max, mean) = (Time(self.max_us), Time(self.mean_us));
        write!(
            f,
            "p50 {p50}, p90 {p90}, p99 {p99}, p99.9 {p99_9}, max {max}, mean {mean}"
        )
    }
}

/// A time in microseconds, printed with three digits and a suitable unit.
pub struct Time(pub f64);

impl Display for Time {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // A value that rounds to a thousand is one of the next unit.
        let (value, unit) = match self.0 {
            us @ ..999.5 => (us, "µs"),
            us @ ..999_500.0 => (us / 1e3, "ms"),
            us => (us / 1e6, "s"),
        };
        let decimals = match value {
            ..9.995 => 2,
            ..99.95 => 1,
            _ => 0,
        };
        write!(f, "{value:.decimals$} {unit}")
    }
}

/// A count and its noun.
fn count(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits() {
        for (us, text) in [
            (0.0, "0.00 µs"),
            (9.994, "9.99 µs"),
            (9.996, "10.0 µs"),
            (99.96, "100 µs"),
        ] {
            assert_eq!(Time(us).to_string(), text);
        }
        for (us, text) in [
            (999.6, "1.00 ms"),
            (12_345.0, "12.3 ms"),
            (2e6, "2.00 s"),
            (3.6e9, "3600 s"),
        ] {
            assert_eq!(Time(us).to_string(), text);
        }
    }
}
