//! Profiles of running guests, whose replies have several lines.

use super::error::Rejection;
use super::operator::{Operator, Profiling};
use super::profile::EndOfProfile;
use super::protocol::Reply;
use super::service::{Client, Service};
use super::watching::{ends, who};
use connection::limits::{CONTROL_REQUEST_TIME, MAX_PROFILE_TIME, PROFILE_FLUSH_TIME};
use std::io;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::unix::WriteHalf;
use tokio::time::{interval, timeout};

impl<O: Operator> Service<O> {
    /// Samples guests for this time, or until the client disconnects.
    pub(super) async fn profile(
        &self,
        client: &mut Client,
        service: Option<String>,
        duration: Duration,
    ) -> Result<(), Rejection> {
        if duration > MAX_PROFILE_TIME {
            return Err(Rejection::LongProfile(MAX_PROFILE_TIME.as_secs()));
        }
        let mut profiling = match self.operator.profile(service) {
            Ok(profiling) => profiling,
            Err(refused) => return client.send(Reply::Refused(refused), &[]).await,
        };
        let mut logged = Logged::begin(who(&client.stream), &profiling.services);
        let services = profiling.services.clone();
        client.send(Reply::Profiling { services }, &[]).await?;
        let (from_client, mut to_client) = client.stream.split();
        let sending = send(&mut profiling, &mut logged, duration, &mut to_client);
        tokio::select! {
            // A client that does not read must not prolong it.
            sent = timeout(duration + CONTROL_REQUEST_TIME, sending) => match sent {
                Ok(sent) => Ok(sent?),
                Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
            },
            ended = ends(&from_client) => Ok(ended?),
        }
    }
}

/// Sends what is sampled, and in the end that it is all.
async fn send(
    profiling: &mut Profiling,
    logged: &mut Logged,
    duration: Duration,
    to_client: &mut WriteHalf<'_>,
) -> io::Result<()> {
    let mut flush = interval(
        PROFILE_FLUSH_TIME
            .min(duration)
            .max(Duration::from_millis(1)),
    );
    loop {
        flush.tick().await;
        let is_over = logged.begun.elapsed() >= duration;
        let (pieces, dropped) = (profiling.take)();
        logged.dropped = dropped;
        for piece in pieces {
            logged.samples += piece.samples.len();
            to_client
                .write_all(&Reply::Profiled(piece).encode())
                .await?;
        }
        if is_over {
            let end = Reply::ProfileEnd(EndOfProfile { dropped });
            return to_client.write_all(&end.encode()).await;
        }
    }
}

/// A profile in the log: who, what, and how long.
struct Logged {
    who: String,
    what: String,
    begun: Instant,
    samples: usize,
    dropped: u64,
}

impl Logged {
    fn begin(who: String, services: &[String]) -> Self {
        let what = services.join(", ");
        tracing::info!(%what, "{who} begins to profile guests");
        Logged {
            who,
            what,
            begun: Instant::now(),
            samples: 0,
            dropped: 0,
        }
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        let duration_ms = self.begun.elapsed().as_millis() as u64;
        let Logged {
            who, samples, what, ..
        } = self;
        let dropped = self.dropped;
        tracing::info!(%what, duration_ms, samples, dropped, "{who} no longer profiles guests");
    }
}
