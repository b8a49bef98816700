//! When the messages of an open loop are due.

use super::Plan;
use super::window::Window;
use std::time::{Duration, Instant};

const SECOND_NS: u128 = 1_000_000_000;

/// The due times of one connection's messages. Of all messages each is as long after the one before, and the
/// connections take turns.
#[derive(Debug)]
pub struct Pace {
    start: Instant,
    rate_per_s: u128,
    connections: u128,
    /// The number of this connection's next message among those of all connections.
    next: u128,
    due: Instant,
}

impl Pace {
    /// That of the connection with this number; `None` in a closed loop.
    pub fn new(plan: &Plan, connection: u32, start: Instant) -> Option<Self> {
        let mut pace = Pace {
            start,
            rate_per_s: plan.rate_per_s?.into(),
            connections: plan.connections.into(),
            next: connection.into(),
            due: start,
        };
        pace.due = pace.next_due();
        Some(pace)
    }

    /// When the next message is due.
    pub fn due(&self) -> Instant {
        self.due
    }

    /// The next message has been sent.
    pub fn advance(&mut self) {
        self.next += self.connections;
        self.due = self.next_due();
    }

    fn next_due(&self) -> Instant {
        let after_ns = self.next * SECOND_NS / self.rate_per_s;
        self.start + Duration::from_nanos(u64::try_from(after_ns).unwrap_or(u64::MAX))
    }

    /// How many messages were due before the end of the run and have not been sent.
    pub fn unsent(&self, window: &Window) -> u64 {
        let time = window.closes().saturating_duration_since(self.start);
        let due = (time.as_nanos() * self.rate_per_s).div_ceil(SECOND_NS);
        let unsent = due.saturating_sub(self.next).div_ceil(self.connections);
        u64::try_from(unsent).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn plan() -> Plan {
        Plan {
            connections: 4,
            rate_per_s: Some(8),
            ..Plan::example()
        }
    }

    #[test]
    fn connections_take_turns() {
        let start = Instant::now();
        let mut due = Vec::new();
        for connection in 0..4 {
            let mut pace = Pace::new(&plan(), connection, start).unwrap();
            for _ in 0..4 {
                due.push((pace.due() - start).as_millis());
                pace.advance();
            }
        }
        due.sort_unstable();
        let expected: Vec<_> = (0..16).map(|message| message * 125).collect();
        assert_eq!(due, expected);
    }

    #[test]
    fn what_is_unsent_was_due_before_the_end() {
        let start = Instant::now();
        let window = Window::new(start, SECOND, 2 * SECOND);
        for (sent, unsent) in [(0, 24), (1, 20), (5, 4), (6, 0), (9, 0)] {
            let mut all = 0;
            for connection in 0..4 {
                let mut pace = Pace::new(&plan(), connection, start).unwrap();
                (0..sent).for_each(|_| pace.advance());
                all += pace.unsent(&window);
            }
            assert_eq!(all, unsent, "two on each connection are due each second");
        }
    }

    #[test]
    fn a_closed_loop_has_none() {
        assert!(Pace::new(&Plan::example(), 0, Instant::now()).is_none());
    }
}
