//! Parses the output of libFuzzer.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The outcome of a run of one target.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    executions: u64,
    executions_per_second: u64,
    /// Coverage: code reached in different ways.
    edges: u64,
    /// Inputs that reached something new.
    new_inputs: u64,
    harm: Option<Harm>,
}

/// Why a run ended early.
#[derive(Debug, PartialEq, Eq)]
struct Harm {
    what: String,
    /// The input that caused it, if it was written.
    input: Option<PathBuf>,
}

impl Outcome {
    /// Parses the output of a run that succeeded or failed.
    pub fn read(printed: &str, succeeded: bool) -> Result<Self> {
        let number = |name: &str| {
            let line = printed.lines().rfind(|line| line.starts_with(name));
            let value = line.and_then(|line| line.split(':').next_back()?.trim().parse().ok());
            value.with_context(|| format!("libFuzzer has not printed `{name}`"))
        };
        // From the last progress line: `#131072 pulse cov: 629 ft: 2830 …`.
        let edges = printed
            .lines()
            .rev()
            .find_map(|line| line.split_once(" cov: ")?.1.split(' ').next()?.parse().ok());
        Ok(Outcome {
            executions: number("stat::number_of_executed_units")?,
            executions_per_second: number("stat::average_exec_per_sec")?,
            edges: edges.unwrap_or(0),
            new_inputs: number("stat::new_units_added")?,
            harm: (!succeeded).then(|| Harm::read(printed)),
        })
    }

    /// Whether it found an input that causes harm.
    pub fn is_harmful(&self) -> bool {
        self.harm.is_some()
    }

    /// The file with that input.
    pub fn input(&self) -> Option<&Path> {
        self.harm.as_ref()?.input.as_deref()
    }
}

impl Harm {
    fn read(printed: &str) -> Self {
        let mut lines = printed.lines();
        // A panic prints its message on the line after its location.
        let panic = lines.find_map(|line| {
            let (_, location) = line.split_once("panicked at ")?;
            Some(location.trim_end_matches(':'))
        });
        let said = lines.next().unwrap_or_default();
        let summary = printed
            .lines()
            .find_map(|line| line.strip_prefix("SUMMARY: libFuzzer: "));
        let input = printed
            .lines()
            .find_map(|line| Some(line.split_once("unit written to ")?.1.into()));
        Harm {
            what: match (panic, summary) {
                (Some(location), _) => format!("panicked at {location}: {said}"),
                (None, Some(summary)) => summary.to_owned(),
                (None, None) => "ended before its time".to_owned(),
            },
            input,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Outcome {
            executions,
            executions_per_second,
            edges,
            new_inputs,
            harm,
        } = self;
        write!(
            f,
            "{executions} executions, {executions_per_second}/s, {edges} edges, {new_inputs} new inputs"
        )?;
        match harm {
            Some(Harm { what, .. }) => write!(f, ", and then HARM: {what}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATS: &str = "#13\tINITED cov: 293 ft: 524 corp: 12/450b exec/s: 0 rss: 27Mb
#65536\tpulse  cov: 425 ft: 1565 corp: 394/19Kb lim: 147 exec/s: 32768 rss: 28Mb
#70000\tDONE   cov: 430 ft: 1600 corp: 400/20Kb lim: 150 exec/s: 32768 rss: 28Mb
stat::number_of_executed_units: 70000
stat::average_exec_per_sec:     15260
stat::new_units_added:          978
";

    #[test]
    fn a_run_that_finds_nothing() {
        let outcome = Outcome::read(STATS, true).unwrap();
        let line = "70000 executions, 15260/s, 430 edges, 978 new inputs";
        assert_eq!(
            (outcome.to_string().as_str(), outcome.input()),
            (line, None)
        );
        Outcome::read("no figures", true).unwrap_err();
    }

    #[test]
    fn what_was_found_is_told_in_a_line() {
        let panic = "\nthread '<unnamed>' (7) panicked at host/address/src/invariants.rs:11:25:
assertion failed
SUMMARY: libFuzzer: deadly signal
artifact_prefix='f/'; Test unit written to f/crash-70
";
        for (printed, what, input) in [
            (
                panic,
                "panicked at host/address/src/invariants.rs:11:25: assertion failed",
                Some("f/crash-70"),
            ),
            ("SUMMARY: libFuzzer: timeout\n", "timeout", None),
            ("", "ended before its time", None),
        ] {
            let outcome = Outcome::read(&format!("{printed}{STATS}"), false).unwrap();
            assert!(outcome.to_string().ends_with(what), "{outcome}");
            assert_eq!(outcome.input(), input.map(Path::new));
        }
    }
}
