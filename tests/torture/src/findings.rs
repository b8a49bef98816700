//! Violations: the first one ends the run.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;

/// The findings so far.
pub struct Findings {
    begun: Instant,
    first: Mutex<Option<String>>,
    found: Notify,
}

impl Findings {
    pub fn new() -> Self {
        Findings {
            begun: Instant::now(),
            first: Mutex::default(),
            found: Notify::new(),
        }
    }

    /// Records a violation, with its time. Later ones may be consequences of the first, and are
    /// dropped.
    pub fn add(&self, what: &str) {
        let at = self.begun.elapsed().as_secs_f64();
        self.locked()
            .get_or_insert_with(|| format!("{at:.1} s after the start: {what}"));
        self.found.notify_one();
    }

    /// The first, if there is one.
    pub fn first(&self) -> Option<String> {
        self.locked().clone()
    }

    /// Waits until there is a finding.
    pub async fn wait(&self) {
        while self.locked().is_none() {
            self.found.notified().await;
        }
    }

    fn locked(&self) -> MutexGuard<'_, Option<String>> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_one_counts() {
        let findings = Findings::new();
        assert_eq!(findings.first(), None);
        findings.add("a reply is wrong");
        findings.add("the host has ended");
        let first = findings.first().unwrap();
        assert!(
            first.ends_with("s after the start: a reply is wrong"),
            "{first}"
        );
    }
}
