//! Starts, monitors and ends the load.

use super::Plan;
use super::connection::Orders;
use super::process::{Meter, Usage};
use super::record::{Lane, Record, Shared};
use super::report::Report;
use super::schedule::Schedule;
use super::transport::Transport;
use parking_lot::Mutex;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until};

/// How often progress is reported.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// Connections that a thread opens at once before the load starts, so that the server's backlog
/// does not overflow.
const OPENING: usize = 64;

/// A server with a process per connection loses them when connections close, and their use of
/// resources unless they are waited for. So it is read this long before the end, or this part of
/// the measured time if that is less.
const LOOK_AHEAD: Duration = Duration::from_millis(100);
const LOOK_AHEAD_PART: u32 = 8;

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// No connection could be opened.
    #[error("cannot reach the server")]
    Unreachable(#[source] io::Error),
    /// The server process cannot be measured.
    #[error("cannot watch process {pid}")]
    Server {
        pid: u32,
        #[source]
        cause: io::Error,
    },
    /// The generator itself failed.
    #[error("cannot generate load")]
    Load(#[source] io::Error),
}

/// The progress of a run.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// `connecting`, `warming up`, ...
    pub phase: &'static str,
    /// Time since the start of the load, with the warm-up.
    pub elapsed: Duration,
    /// Correct replies to messages of the measured time.
    pub replies: u64,
    pub errors: u64,
}

/// Runs the load of `plan` and returns the report. Ends early when `stop` completes. Calls `tell`
/// with the progress about ten times a second.
///
/// First tries the server with one connection, which is closed again.
pub async fn run(
    plan: &Plan,
    stop: impl Future<Output = ()>,
    mut tell: impl FnMut(&Progress),
) -> Result<Report, BenchError> {
    let mut stop = std::pin::pin!(stop);
    let reached = tokio::select! {
        reached = reach(plan) => reached,
        () = &mut stop => Err(io::ErrorKind::Interrupted.into()),
    };
    let address = reached.map_err(BenchError::Unreachable)?;
    if let Some(pid) = plan.server_pid {
        Usage::of(pid).map_err(|cause| BenchError::Server { pid, cause })?;
    }
    let mut crew = Crew::hire(plan, address).map_err(BenchError::Load)?;
    let mut interrupted = false;
    tell(&crew.progress("connecting", Duration::ZERO));
    tokio::select! {
        () = crew.ready() => {}
        () = sleep(plan.timeout) => {}
        () = &mut stop => interrupted = true,
    }

    let schedule = Arc::new(Schedule::new(plan, Instant::now()));
    crew.start.send_replace(Some(schedule.clone()));
    if interrupted {
        schedule.close();
    }
    let mut meters = [Meter::read(plan.server_pid), Meter::read(None)];
    let look_ahead = LOOK_AHEAD.min(plan.duration / LOOK_AHEAD_PART);
    let phases = [
        ("warming up", schedule.opens()),
        ("measuring", schedule.closes() - look_ahead),
    ];
    for ((phase, until), meter) in phases.into_iter().zip(&mut meters) {
        while !interrupted && Instant::now() < until {
            let next = until.min(Instant::now() + PROGRESS_EVERY);
            tokio::select! {
                () = sleep_until(next.into()) => {}
                // This early only if the generator failed.
                done = crew.done() => {
                    done.map_err(BenchError::Load)?;
                    break;
                }
                () = &mut stop => {
                    interrupted = true;
                    schedule.close();
                }
            }
            tell(&crew.progress(phase, schedule.elapsed()));
        }
        *meter = Meter::read(plan.server_pid);
    }
    tell(&crew.progress("waiting for the last replies", schedule.elapsed()));
    crew.done().await.map_err(BenchError::Load)?;
    let mut record = Record::new(plan);
    for lane in &crew.lanes {
        record.add(&lane.lock().record);
    }
    let report = Report::new(plan, &schedule, record, &meters);
    Ok(Report {
        interrupted,
        ..report
    })
}

/// The first address of the server that accepts.
async fn reach(plan: &Plan) -> io::Result<SocketAddr> {
    let address = plan.endpoint.network().ok_or(io::ErrorKind::Unsupported)?;
    let reached = async |address| {
        Transport::open(plan, address).await?.try_out(plan).await?;
        Ok(address)
    };
    address.first(reached).await
}

/// The threads that generate load, and their channels.
struct Crew {
    lanes: Vec<Lane>,
    ready: mpsc::Receiver<()>,
    start: watch::Sender<Option<Arc<Schedule>>>,
    /// Threads that have not ended.
    running: usize,
    /// How each thread ended.
    done: mpsc::UnboundedReceiver<io::Result<()>>,
}

impl Crew {
    fn hire(plan: &Plan, address: SocketAddr) -> io::Result<Self> {
        let (ready_sender, ready) = mpsc::channel(1);
        let (start, start_receiver) = watch::channel(None);
        let (done_sender, done) = mpsc::unbounded_channel();
        let plan = Arc::new(plan.clone());
        let mut lanes = Vec::new();
        for thread in 0..plan.threads {
            let lane = Arc::new(Mutex::new(Shared::new(&plan)));
            lanes.push(lane.clone());
            let orders = Orders {
                plan: plan.clone(),
                address,
                lane,
                opening: Arc::new(Semaphore::new(OPENING)),
                ready: ready_sender.clone(),
                start: start_receiver.clone(),
            };
            let numbers = (thread as u32..plan.connections).step_by(plan.threads);
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let done = done_sender.clone();
            thread::Builder::new()
                .name(format!("bench {thread}"))
                .spawn(move || done.send(make_load(&runtime, orders, numbers)))?;
        }
        Ok(Crew {
            lanes,
            ready,
            start,
            running: plan.threads,
            done,
        })
    }

    /// Completes when every connection is open, or failed to open.
    async fn ready(&mut self) {
        while self.ready.recv().await.is_some() {}
    }

    /// Completes when every message has its reply, or is given up, or a thread failed.
    async fn done(&mut self) -> io::Result<()> {
        while self.running > 0 {
            let result = self.done.recv().await;
            result.unwrap_or_else(|| Err(io::Error::other("a thread panicked")))?;
            self.running -= 1;
        }
        Ok(())
    }

    fn progress(&self, phase: &'static str, elapsed: Duration) -> Progress {
        let mut progress = Progress {
            phase,
            elapsed,
            replies: 0,
            errors: 0,
        };
        for lane in &self.lanes {
            let record = &lane.lock().record;
            progress.replies += record.latency_ns.len();
            progress.errors += record.errors.total();
        }
        progress
    }
}

/// The work of a thread.
fn make_load(
    runtime: &Runtime,
    orders: Orders,
    numbers: impl Iterator<Item = u32>,
) -> io::Result<()> {
    runtime.block_on(async {
        let mut connections = JoinSet::new();
        for number in numbers {
            connections.spawn(orders.clone().carry_out(number));
        }
        // The remaining orders would count as another connection that is not open.
        drop(orders);
        while let Some(result) = connections.join_next().await {
            result??;
        }
        Ok(())
    })
}
