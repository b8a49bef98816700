//! The report as people read it.

use super::Shape;
use super::errors::Errors;
use super::report::{Latency, Load, Report, Server};
use bytesize::ByteSize;
use std::fmt::{self, Display, Formatter};

/// The part of their time that the generator's threads may be busy before they are suspected of being slower
/// than the server.
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
        writeln!(
            f,
            "measured    {:.1} s after {:.1} s of warm-up{early}",
            self.measured_s, load.warm_up_s
        )?;
        writeln!(
            f,
            "throughput  {:.0} messages/s, {}/s each way",
            throughput.messages_per_s,
            ByteSize(throughput.bytes_per_s as u64)
        )?;
        writeln!(
            f,
            "messages    {} sent, {} echoed",
            self.messages, self.replies
        )?;
        writeln!(f, "errors      {}", Listed(&self.errors))?;
        if let Some(error) = &self.other_error {
            writeln!(f, "            such as: {error}")?;
        }
        if let Some(latency) = &self.latency {
            writeln!(f, "latency     {latency}")?;
        }
        if let Some(connect) = &self.connect {
            writeln!(f, "connect     {connect}")?;
            let opened = Count(connect.count, "connection");
            writeln!(f, "            {opened} opened anew")?;
        }
        if let Some(cost_us) = generator.cpu_us_per_message {
            writeln!(
                f,
                "generator   {} of CPU a message, {:.2} cores busy with {}",
                Time(cost_us),
                generator.busy_cores,
                Count(load.threads as u64, "thread")
            )?;
        }
        if let Some(server) = &self.server {
            writeln!(f, "server      {server}")?;
        }
        if generator.busy_cores > SUSPICIOUSLY_BUSY * load.threads as f64 {
            writeln!(
                f,
                "\nThe generator was busy all the time: the server may be faster than this."
            )?;
        }
        if self.unsent > 0 {
            writeln!(
                f,
                "\nThe server did not keep up: {} due before the end could not be sent.",
                Count(self.unsent, "message")
            )?;
        }
        Ok(())
    }
}

impl Display for Load {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let shape = match self.framing {
            Shape::Lines => "lines",
            Shape::Raw => "messages",
        };
        write!(
            f,
            "{}: {}, {shape} of {}, ",
            self.uri,
            Count(self.connections.into(), "connection"),
            Count(self.message_bytes as u64, "byte")
        )?;
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
        write!(
            f,
            "p50 {}, p90 {}, p99 {}, p99.9 {}, max {}, mean {}",
            Time(self.p50_us),
            Time(self.p90_us),
            Time(self.p99_us),
            Time(self.p99_9_us),
            Time(self.max_us),
            Time(self.mean_us)
        )
    }
}

impl Display for Server {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(cost_us) = self.cpu_us_per_message {
            write!(f, "{} of CPU a message, ", Time(cost_us))?;
        }
        let memory = ByteSize(self.resident_bytes);
        write!(f, "{:.2} cores busy, {memory} resident", self.busy_cores)
    }
}

/// A time in microseconds, to three digits and in the unit that suits it.
pub struct Time(pub f64);

impl Display for Time {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // What rounds to a thousand is one of the next unit.
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

/// So many of something.
struct Count(u64, &'static str);

impl Display for Count {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Count(count, what) = self;
        let plural = if *count == 1 { "" } else { "s" };
        write!(f, "{count} {what}{plural}")
    }
}

/// The errors there were, by kind.
struct Listed<'a>(&'a Errors);

impl Display for Listed<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let rows = self.0.rows();
        let mut found = rows.iter().filter(|(count, _)| *count > 0).peekable();
        if found.peek().is_none() {
            return f.write_str("none");
        }
        while let Some((count, kind)) = found.next() {
            let comma = if found.peek().is_some() { ", " } else { "" };
            write!(f, "{count} {kind}{comma}")?;
        }
        Ok(())
    }
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
            (999.4, "999 µs"),
            (999.6, "1.00 ms"),
            (12_345.0, "12.3 ms"),
            (2_000_000.0, "2.00 s"),
            (3_600_000_000.0, "3600 s"),
        ] {
            assert_eq!(Time(us).to_string(), text);
        }
    }

    #[test]
    fn one_is_no_plural() {
        assert_eq!(Count(1, "byte").to_string(), "1 byte");
        assert_eq!(Count(0, "byte").to_string(), "0 bytes");
    }

    #[test]
    fn errors_are_listed_if_there_are_any() {
        let mut errors = Errors::default();
        assert_eq!(Listed(&errors).to_string(), "none");
        errors.corrupt = 2;
        errors.connect_refused = 1;
        assert_eq!(Listed(&errors).to_string(), "1 connect refused, 2 corrupt");
    }
}
