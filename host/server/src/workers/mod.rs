//! Worker threads. Each has a runtime of its own, and a connection lives on one of them from accept
//! to end, so that nothing on its way wakes another thread. Must not know services.

mod placing;

pub use placing::Placement;

use connection::busy::Busy;
use connection::limits::{MAX_BLOCKING_THREADS, MIN_BLOCKING_THREADS_OF_WORKER};
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};

/// The worker threads of a host. They end when it is dropped.
#[derive(Debug)]
pub struct Workers {
    all: Vec<Arc<Worker>>,
    /// Counts what was spread over them.
    spread: AtomicUsize,
    _running: DropGuard,
}

/// A thread that serves connections.
#[derive(Debug)]
pub struct Worker {
    index: usize,
    runtime: Handle,
    busy: Busy,
    /// Its connections and UDP sessions.
    connections: AtomicUsize,
}

impl Workers {
    /// Starts this many threads. They have the restrictions that the calling thread has by now.
    pub fn start(count: NonZeroUsize) -> io::Result<Self> {
        let stopping = CancellationToken::new();
        let blocking = MAX_BLOCKING_THREADS / count;
        let blocking = blocking.max(MIN_BLOCKING_THREADS_OF_WORKER);
        let workers = (0..count.get()).map(|index| Worker::start(index, blocking, &stopping));
        Ok(Workers {
            all: workers.collect::<io::Result<_>>()?,
            spread: AtomicUsize::new(0),
            _running: stopping.drop_guard(),
        })
    }

    /// All of them.
    pub fn all(&self) -> &[Arc<Worker>] {
        &self.all
    }

    /// Completes when each of them has run a task, so that none is stuck.
    pub async fn answer(&self) {
        for worker in &self.all {
            // Fails only if the thread has ended.
            let _ = worker.runtime.spawn(async {}).await;
        }
    }

    /// Another one each time, for what stays on one.
    pub fn next(&self) -> &Arc<Worker> {
        let next = self.spread.fetch_add(1, Ordering::Relaxed);
        &self.all[next % self.all.len()]
    }
}

impl Worker {
    fn start(
        index: usize,
        blocking_threads: usize,
        stopping: &CancellationToken,
    ) -> io::Result<Arc<Self>> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(blocking_threads)
            .build()?;
        let worker = Arc::new(Worker {
            index,
            runtime: runtime.handle().clone(),
            busy: Busy::default(),
            connections: AtomicUsize::new(0),
        });
        let (busy, stopped) = (worker.busy.clone(), stopping.clone());
        let serve = move || {
            busy.make_here();
            runtime.block_on(stopped.cancelled());
            // A guest's file operation may still be running; nobody waits for its result.
            runtime.shutdown_background();
        };
        let name = format!("worker-{index}");
        thread::Builder::new().name(name).spawn(serve)?;
        Ok(worker)
    }

    /// Its position among all.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Where it runs tasks.
    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Whether its guests take turns to compute.
    pub fn is_busy(&self) -> bool {
        self.busy.get()
    }

    /// The number of its connections and UDP sessions.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}
