//! Finds idle connections. One look at all of them each second costs less than a timer for each.

use super::Server;
use connection::handler::Handler;
use connection::limits::IDLE_SWEEP;
use tokio::time::{MissedTickBehavior, interval};

impl<H: Handler> Server<H> {
    /// Ends connections that are idle for longer than their idle timeout, until dropped.
    pub async fn end_idle_connections(&self) {
        let mut ticks = interval(IDLE_SWEEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            for served in &self.services().clone() {
                served.generations.sweep(self.state.begun.elapsed());
            }
        }
    }
}
