//! One connection of the load, opened again when it has had its share or is lost.

use super::Plan;
use super::errors::Trouble;
use super::exchange::Exchange;
use super::lane::Lane;
use super::window::Window;
use super::wire::Wire;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::sleep;

/// Connections that one thread opens at the same time before the load starts, so that a server's queue does
/// not run over.
pub const OPENING: usize = 64;

/// How long a connection that failed is left alone: twice as long each time, from the first value up to the
/// second.
const PAUSE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(500));

/// What the task of a connection is given.
#[derive(Clone)]
pub struct Orders {
    pub plan: Arc<Plan>,
    pub address: SocketAddr,
    pub lane: Lane,
    pub opening: Arc<Semaphore>,
    /// Dropped when the connection is open, or cannot be opened for now.
    pub ready: mpsc::Sender<()>,
    /// Tells when the load starts.
    pub start: watch::Receiver<Option<Arc<Window>>>,
    /// Dropped when all is done.
    pub done: mpsc::Sender<()>,
}

impl Orders {
    /// Makes the load of the connection with this number, from the start to the end of the run.
    pub async fn carry_out(self, number: u32) -> io::Result<()> {
        let Orders {
            plan,
            address,
            lane,
            opening,
            ready,
            mut start,
            done: _done,
        } = self;
        // If it fails now it is tried again, and counted, when the load has started.
        let mut first = {
            let _permit = opening.acquire().await;
            Wire::open(&plan, address).await.ok()
        };
        drop(ready);
        let Ok(Some(window)) = start.wait_for(Option::is_some).await.map(|it| it.clone()) else {
            return Ok(());
        };
        let mut exchange = Exchange::new(number, plan.clone(), lane.clone(), window.clone())?;
        let mut pause = PAUSE.0;
        while !exchange.is_over() {
            let opened = match first.take() {
                Some(wire) => Ok(wire),
                None => reopen(&plan, address, &lane, &window).await,
            };
            let result = match opened {
                Ok(wire) => exchange.run(wire).await,
                Err(trouble) => Err(trouble),
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

/// Opens a connection, and counts how that went.
async fn reopen(
    plan: &Plan,
    address: SocketAddr,
    lane: &Lane,
    window: &Window,
) -> Result<Wire, Trouble> {
    let begun = Instant::now();
    let opened = Wire::open(plan, address).await.map_err(Trouble::connect);
    let now = Instant::now();
    let record = &mut lane.lock().record;
    match &opened {
        Ok(_) => record.opened(window, begun, now),
        Err(trouble) => {
            record.not_opened(window, begun, now, trouble.fault);
            record.explain(trouble);
        }
    }
    opened
}
