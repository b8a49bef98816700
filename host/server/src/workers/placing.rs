//! On which worker a new connection lives. The worker that accepted it keeps it, which costs
//! nothing, unless another one has clearly more time for it.

use super::{Worker, Workers};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How many connections more than another a worker may have before it gives new ones away: this
/// number, and this part of those of the other.
const SLACK: (usize, usize) = (4, 8);

/// A connection on a worker. Counts there until it is dropped.
#[derive(Debug)]
pub struct Placement(Arc<Worker>);

impl Workers {
    /// Places a connection that `here` has accepted: there, or on the least loaded worker that is
    /// not busy.
    pub fn place(&self, here: &Arc<Worker>) -> Placement {
        let load = |it: &Arc<Worker>| (it.is_busy(), it.connections());
        let (is_busy, connections) = load(here);
        let least = self.all.iter().map(|it| (load(it), it));
        let other = least.min_by_key(|(load, _)| *load).filter(|(least, _)| {
            let (other_is_busy, least) = *least;
            is_busy && !other_is_busy || connections > least + SLACK.0 + least / SLACK.1
        });
        Placement::on(other.map_or(here, |(_, other)| other))
    }
}

impl Placement {
    /// Places a connection on this worker.
    pub fn on(worker: &Arc<Worker>) -> Self {
        worker.connections.fetch_add(1, Ordering::Relaxed);
        Placement(worker.clone())
    }

    /// The worker.
    pub fn worker(&self) -> &Arc<Worker> {
        &self.0
    }
}

impl Drop for Placement {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroUsize;

    fn workers(count: usize) -> Workers {
        Workers::start(NonZeroUsize::new(count).unwrap()).unwrap()
    }

    #[test]
    fn a_worker_keeps_what_it_accepts_until_it_has_clearly_more_than_another() {
        let workers = workers(2);
        let [here, other] = workers.all() else {
            panic!("two were started");
        };
        let mut placed: Vec<_> = (0..100).map(|_| workers.place(here)).collect();
        assert!((50..60).contains(&here.connections()), "{workers:?}");
        assert_eq!(here.connections() + other.connections(), 100);
        placed.clear();
        assert_eq!(here.connections() + other.connections(), 0);
    }

    #[test]
    fn a_busy_worker_gives_away_what_it_accepts_unless_all_are_busy() {
        let workers = workers(3);
        let [here, second, third] = workers.all() else {
            panic!("three were started");
        };
        here.busy.set(true);
        let placed: Vec<_> = (0..10).map(|_| workers.place(here)).collect();
        let counts = workers.all().iter().map(|it| it.connections());
        assert_eq!(counts.collect::<Vec<_>>(), [0, 5, 5]);
        second.busy.set(true);
        third.busy.set(true);
        assert_eq!(workers.place(here).worker().index(), 0);
        drop(placed);
    }
}
