//! The clients of the metrics that are being served. There is always a place for one more: the client that has been
//! silent for longest loses its own.

use crate::limits::{Limit, MAX_METRICS_CLIENTS};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::task::{AbortHandle, JoinSet};

/// The tasks of the clients, in the order in which these came.
#[derive(Default)]
pub struct Clients {
    tasks: JoinSet<()>,
    /// Each with whether it has asked for anything.
    order: VecDeque<(AbortHandle, Arc<AtomicBool>)>,
}

impl Clients {
    /// Serves one more. The flag is to be raised when it has sent its request.
    pub fn add<F>(&mut self, serve: impl FnOnce(Arc<AtomicBool>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        while self.tasks.try_join_next().is_some() {}
        self.order.retain(|(task, _)| !task.is_finished());
        if self.order.len() >= MAX_METRICS_CLIENTS {
            Limit::MetricsClients.reached();
            let has_asked = |(_, asked): &(_, Arc<AtomicBool>)| asked.load(Ordering::Relaxed);
            let silent = self.order.iter().position(|client| !has_asked(client));
            if let Some((task, _)) = self.order.remove(silent.unwrap_or(0)) {
                task.abort();
            }
        }
        let asked = Arc::new(AtomicBool::new(false));
        let task = self.tasks.spawn(serve(asked.clone()));
        self.order.push_back((task, asked));
    }
}
