//! What should not be: the first thing found ends the run.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;

/// Whatever was found.
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

    /// Notes what should not be, with when it was. What follows the first one may well be its consequence, and is
    /// left out.
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

    /// Waits until something is found.
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
