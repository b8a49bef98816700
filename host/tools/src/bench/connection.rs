//! One connection of the load, reopened after its share of messages or an error.

use super::Plan;
use super::errors::Fault;
use super::exchange::Exchange;
use super::record::Lane;
use super::schedule::Schedule;
use super::transport::Transport;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::sleep;

/// The pause before a failed connection is retried: doubled each time, from the first value up to
/// the second.
const PAUSE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(500));

/// The input of a connection's task.
#[derive(Clone)]
pub struct Orders {
    pub plan: Arc<Plan>,
    pub address: SocketAddr,
    pub lane: Lane,
    /// Limits how many connections are opened at once before the load starts.
    pub opening: Arc<Semaphore>,
    /// Dropped when the connection is open, or failed to open.
    pub ready: mpsc::Sender<()>,
    /// Signals the start of the load.
    pub start: watch::Receiver<Option<Arc<Schedule>>>,
}

impl Orders {
    /// Runs the load of the connection with this number.
    pub async fn carry_out(mut self, number: u32) -> io::Result<()> {
        // A failure is retried and counted when the load has started.
        let mut first = {
            let _permit = self.opening.acquire().await;
            Transport::open(&self.plan, self.address).await.ok()
        };
        drop(self.ready);
        let Ok(Some(schedule)) = self
            .start
            .wait_for(Option::is_some)
            .await
            .map(|it| it.clone())
        else {
            return Ok(());
        };
        let (plan, lane) = (self.plan, self.lane);
        let mut exchange = Exchange::new(number, &plan, &lane, &schedule)?;
        let mut pause = PAUSE.0;
        while !exchange.is_over() {
            let opened = match first.take() {
                Some(transport) => Ok(transport),
                None => reopen(&plan, self.address, &lane, &schedule).await,
            };
            let result = match opened {
                Ok(transport) => exchange.run(transport).await,
                Err(error) => Err(error),
            };
            match result {
                Ok(()) => pause = PAUSE.0,
                Err(_) => {
                    sleep(pause).await;
                    pause = PAUSE.1.min(2 * pause);
                }
            }
        }
        exchange.finish();
        Ok(())
    }
}

/// Opens a connection and counts the result.
async fn reopen(
    plan: &Plan,
    address: SocketAddr,
    lane: &Lane,
    schedule: &Schedule,
) -> io::Result<Transport> {
    let begun = Instant::now();
    let opened = Transport::open(plan, address).await;
    let now = Instant::now();
    let record = &mut lane.lock().record;
    match &opened {
        Ok(_) => record.opened(schedule, begun, now),
        Err(error) => {
            let fault = Fault::of_connecting(error);
            record.lost(schedule, begun, now, fault);
            record.explain(fault, error);
        }
    }
    opened
}
