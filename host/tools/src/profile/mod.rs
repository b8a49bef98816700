//! A profile of guests: samples of their stacks, and what is made of them. Names of functions are
//! those of guests.

mod firefox;
mod flame_graph;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::time::{Duration, SystemTime};

/// Samples, and the functions and stacks that they refer to by number.
#[derive(Debug)]
pub struct Profile {
    begun: SystemTime,
    services: Vec<String>,
    functions: Vec<String>,
    /// The stack of the caller, which has a lower number, and the function that it called.
    stacks: Vec<(Option<u32>, u32)>,
    samples: Vec<Sample>,
}

/// Where a guest was.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Since the profile began.
    pub at: Duration,
    pub stack: u32,
    pub service: u32,
    pub generation: Option<u64>,
}

/// What guests run: a version of a service's handler.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    pub service: String,
    /// `None` if it does not serve, for example while it is loaded.
    pub generation: Option<u64>,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Version {
            service,
            generation,
        } = self;
        match generation {
            Some(number) => write!(f, "{service}, generation {number}"),
            None => write!(f, "{service}, not serving"),
        }
    }
}

/// How often a function was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub version: Version,
    pub function: String,
    /// In itself.
    pub own: u64,
    /// With the functions that it called.
    pub total: u64,
}

impl Profile {
    /// A profile of these services that begins now.
    pub fn begin(services: Vec<String>) -> Self {
        Profile {
            begun: SystemTime::now(),
            services,
            functions: Vec::new(),
            stacks: Vec::new(),
            samples: Vec::new(),
        }
    }

    /// Adds functions, stacks and samples, which may refer to those before.
    pub fn add(
        &mut self,
        functions: Vec<String>,
        stacks: Vec<(Option<u32>, u32)>,
        samples: impl IntoIterator<Item = Sample>,
    ) {
        self.functions.extend(functions);
        self.stacks.extend(stacks);
        self.samples.extend(samples);
    }

    /// The number of samples.
    pub fn samples(&self) -> usize {
        self.samples.len()
    }

    /// How often each function was seen, the one that computed most first.
    pub fn rows(&self) -> Vec<Row> {
        let mut counts = HashMap::<(Version, &str), (u64, u64)>::new();
        for ((version, stack), count) in self.counted() {
            let calls = self.calls(stack);
            if let Some(innermost) = calls.last() {
                counts.entry((version.clone(), innermost)).or_default().0 += count;
            }
            // A function that calls itself counts once.
            for function in calls.into_iter().collect::<BTreeSet<_>>() {
                counts.entry((version.clone(), function)).or_default().1 += count;
            }
        }
        let mut rows: Vec<_> = counts
            .into_iter()
            .map(|((version, function), (own, total))| Row {
                version,
                function: function.to_owned(),
                own,
                total,
            })
            .collect();
        rows.sort_by(|a, b| {
            let most = (b.own, b.total).cmp(&(a.own, a.total));
            most.then_with(|| (&a.version, &a.function).cmp(&(&b.version, &b.function)))
        });
        rows
    }

    /// How often each stack of each version was seen.
    fn counted(&self) -> HashMap<(Version, u32), u64> {
        let mut counts = HashMap::new();
        for sample in &self.samples {
            *counts
                .entry((self.version(sample), sample.stack))
                .or_default() += 1;
        }
        counts
    }

    fn version(&self, sample: &Sample) -> Version {
        let service = self.services.get(sample.service as usize);
        Version {
            service: service.cloned().unwrap_or_default(),
            generation: sample.generation,
        }
    }

    /// The functions of a stack, outermost first.
    fn calls(&self, stack: u32) -> Vec<&str> {
        let mut calls = Vec::new();
        let mut next = Some(stack);
        while let Some(number) = next {
            let Some((caller, function)) = self.stacks.get(number as usize) else {
                break;
            };
            let name = self.functions.get(*function as usize);
            calls.push(name.map_or("(unknown)", |it| it));
            next = caller.filter(|caller| *caller < number);
        }
        calls.reverse();
        calls
    }
}
