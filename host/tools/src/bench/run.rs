//! Starts the load, watches it and ends it.

use super::Plan;
use super::connection::{OPENING, Orders};
use super::cost::Meter;
use super::lane::Lane;
use super::process::Usage;
use super::record::Record;
use super::report::Report;
use super::window::Window;
use super::wire::Wire;
use connection::address::Endpoint;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until};

/// How often the progress is told.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// How long before the end the meters are read, at most, and as a part of the measured time.
const LOOK_AHEAD: Duration = Duration::from_millis(100);
const LOOK_AHEAD_PART: u32 = 8;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// Not one connection could be opened.
    #[error("the server cannot be reached")]
    Unreachable(#[source] io::Error),
    /// What the server's process uses cannot be told.
    #[error("cannot watch process {pid}")]
    Server {
        pid: u32,
        #[source]
        cause: io::Error,
    },
    /// The generator itself failed.
    #[error("cannot make the load")]
    Load(#[source] io::Error),
}

/// How far a run is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    pub phase: Phase,
    /// Of the load, warm-up included.
    pub elapsed: Duration,
    /// Correct replies to messages of the measured time.
    pub replies: u64,
    pub errors: u64,
}

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Opening connections.
    Connecting,
    /// Making load that does not count.
    WarmUp,
    /// Making load that counts.
    Measuring,
    /// Waiting for the last replies.
    Finishing,
}

/// Makes the load of `plan` and reports how it was answered. Ends early when `stop` completes. In the
/// meantime `tell` is told about ten times a second how it goes.
///
/// First the server is tried with one connection, which is closed again.
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
    tell(&crew.progress(Phase::Connecting, Duration::ZERO));
    tokio::select! {
        () = crew.ready() => {}
        () = sleep(plan.timeout) => {}
        () = &mut stop => interrupted = true,
    }

    let window = crew.start(plan);
    if interrupted {
        window.close();
    }
    let mut meters = [Meter::read(plan.server_pid), Meter::read(None)];
    let phases = [
        (Phase::WarmUp, window.opens()),
        (Phase::Measuring, window.closes() - look_ahead(plan)),
    ];
    for ((phase, until), meter) in phases.into_iter().zip(&mut meters) {
        while !interrupted && Instant::now() < until {
            let next = until.min(Instant::now() + PROGRESS_EVERY);
            tokio::select! {
                () = sleep_until(next.into()) => {}
                // So early only if the generator itself failed.
                () = crew.done() => break,
                () = &mut stop => {
                    interrupted = true;
                    window.close();
                }
            }
            tell(&crew.progress(phase, window.start().elapsed()));
        }
        *meter = Meter::read(plan.server_pid);
    }
    tell(&crew.progress(Phase::Finishing, window.start().elapsed()));
    crew.done().await;
    let record = crew.dismiss(plan).map_err(BenchError::Load)?;
    let mut report = Report::new(plan, &window, &record, &meters[1].since(&meters[0]));
    report.interrupted = interrupted;
    Ok(report)
}

/// When connections close, a server that has a process for each loses them, and what they used is lost with
/// those whose parent does not wait. So they are looked at while they are there.
fn look_ahead(plan: &Plan) -> Duration {
    LOOK_AHEAD.min(plan.duration / LOOK_AHEAD_PART)
}

/// The first address of the server that answers.
async fn reach(plan: &Plan) -> io::Result<SocketAddr> {
    let (Endpoint::Tcp(address) | Endpoint::Udp(address)) = &plan.endpoint else {
        return Err(io::ErrorKind::Unsupported.into());
    };
    let reached = async |address| {
        Wire::open(plan, address).await?.try_out(plan).await?;
        Ok(address)
    };
    address.first(reached).await
}

/// The threads that make the load, and what they are waited for and told with.
struct Crew {
    threads: Vec<JoinHandle<io::Result<()>>>,
    lanes: Vec<Lane>,
    ready: mpsc::Receiver<()>,
    start: watch::Sender<Option<Arc<Window>>>,
    done: mpsc::Receiver<()>,
}

impl Crew {
    fn hire(plan: &Plan, address: SocketAddr) -> io::Result<Self> {
        let (ready_sender, ready) = mpsc::channel(1);
        let (start, start_receiver) = watch::channel(None);
        let (done_sender, done) = mpsc::channel(1);
        let count = plan.threads.min(plan.connections as usize);
        let mut crew = Crew {
            threads: Vec::new(),
            lanes: Vec::new(),
            ready,
            start,
            done,
        };
        let plan = Arc::new(plan.clone());
        for thread in 0..count {
            let lane = Lane::new(&plan);
            crew.lanes.push(lane.clone());
            let orders = Orders {
                plan: plan.clone(),
                address,
                lane,
                opening: Arc::new(Semaphore::new(OPENING)),
                ready: ready_sender.clone(),
                start: start_receiver.clone(),
                done: done_sender.clone(),
            };
            let numbers = (thread as u32..plan.connections).step_by(count);
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let work = thread::Builder::new()
                .name(format!("bench {thread}"))
                .spawn(move || make_load(&runtime, orders, numbers))?;
            crew.threads.push(work);
        }
        Ok(crew)
    }

    /// Every connection is open, or has failed to open.
    async fn ready(&mut self) {
        while self.ready.recv().await.is_some() {}
    }

    fn start(&self, plan: &Plan) -> Arc<Window> {
        let window = Arc::new(Window::new(Instant::now(), plan.warm_up, plan.duration));
        self.start.send_replace(Some(window.clone()));
        window
    }

    /// Every message has its reply, or is given up.
    async fn done(&mut self) {
        while self.done.recv().await.is_some() {}
    }

    fn progress(&self, phase: Phase, elapsed: Duration) -> Progress {
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

    /// All counts together, when all is done.
    fn dismiss(self, plan: &Plan) -> io::Result<Record> {
        for thread in self.threads {
            match thread.join() {
                Ok(result) => result?,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        let mut sum = Record::new(plan);
        for lane in &self.lanes {
            sum.add(&lane.lock().record);
        }
        Ok(sum)
    }
}

/// One thread's work.
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
        // What is left of the orders would say that one more connection is at work.
        drop(orders);
        while let Some(result) = connections.join_next().await {
            result??;
        }
        Ok(())
    })
}
