//! The clients of the metrics endpoint. There is always room for one more: the client that has been
//! silent the longest is dropped, after it had time to send a request.

use connection::limits::{Limit, MAX_METRICS_CLIENTS, METRICS_GRACE};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, timeout_at};

/// The tasks of the clients.
#[derive(Default)]
pub struct Clients {
    tasks: JoinSet<()>,
    /// In order of arrival.
    order: VecDeque<Client>,
}

struct Client {
    task: AbortHandle,
    /// Whether it has sent its request.
    asked: Arc<AtomicBool>,
    since: Instant,
}

impl Clients {
    /// Waits for room, at most the time that a client has for its request, and drops a client if
    /// necessary.
    pub async fn make_room(&mut self) {
        loop {
            while self.tasks.try_join_next().is_some() {}
            self.order.retain(|client| !client.task.is_finished());
            if self.order.len() < MAX_METRICS_CLIENTS {
                return;
            }
            let has_asked = |client: &Client| client.asked.load(Ordering::Relaxed);
            let silent = self.order.iter().position(|client| !has_asked(client));
            let silent = silent.unwrap_or(0);
            let due = self.order[silent].since + METRICS_GRACE;
            if due > Instant::now() {
                // A client that finishes makes room earlier.
                let _ = timeout_at(due, self.tasks.join_next()).await;
            } else if let Some(client) = self.order.remove(silent) {
                Limit::MetricsClients.reached();
                client.task.abort();
            }
        }
    }

    /// Serves another client. It sets the flag when it has sent its request.
    pub fn add<F>(&mut self, serve: impl FnOnce(Arc<AtomicBool>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let asked = Arc::new(AtomicBool::new(false));
        let task = self.tasks.spawn(serve(asked.clone()));
        self.order.push_back(Client {
            task,
            asked,
            since: Instant::now(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use tokio::sync::oneshot;

    /// Adds a silent client. The receiver ends when the client is dropped.
    async fn add_silent(clients: &mut Clients) -> oneshot::Receiver<()> {
        let (gone, is_gone) = oneshot::channel::<()>();
        clients.make_room().await;
        clients.add(|_| async move {
            let _gone = gone;
            pending().await
        });
        is_gone
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_has_time_to_ask_before_others_replace_it() {
        let begun = Instant::now();
        let mut clients = Clients::default();
        let mut first = add_silent(&mut clients).await;
        let mut others = Vec::new();
        for _ in 1..MAX_METRICS_CLIENTS {
            others.push(add_silent(&mut clients).await);
        }
        assert_eq!(begun.elapsed(), std::time::Duration::ZERO);
        first.try_recv().expect_err("it was replaced at once");
        others.push(add_silent(&mut clients).await);
        assert!(begun.elapsed() >= METRICS_GRACE);
        first.await.expect_err("it has answered");
    }

    #[tokio::test(start_paused = true)]
    async fn a_finished_client_makes_room_at_once() {
        let begun = Instant::now();
        let mut clients = Clients::default();
        let (done, is_done) = oneshot::channel::<()>();
        clients.add(|_| async { drop(is_done.await) });
        let mut others = Vec::new();
        for _ in 1..MAX_METRICS_CLIENTS {
            others.push(add_silent(&mut clients).await);
        }
        done.send(()).unwrap();
        others.push(add_silent(&mut clients).await);
        assert!(begun.elapsed() < METRICS_GRACE, "{:?}", begun.elapsed());
    }
}
