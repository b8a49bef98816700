//! Requests about single connections, whose replies have several lines or no end.

use super::connections::{EndOfList, TapLine, Wanted};
use super::error::Rejection;
use super::operator::{Operator, Tapping};
use super::protocol::Reply;
use super::service::{Client, Service};
use connection::limits::{MAX_MEASURING_TIME, MAX_TAPS};
use server::service::Tap;
use std::convert::Infallible;
use std::io;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::{ReadHalf, WriteHalf};
use tokio::task::yield_now;

impl<O: Operator> Service<O> {
    /// Sends a line for each slice of the connections, so that no reply is too long, and nothing
    /// else waits for all of it.
    pub(super) async fn list(
        &self,
        client: &mut Client,
        wanted: Wanted,
        measure: Option<Duration>,
    ) -> Result<(), Rejection> {
        if measure.is_some_and(|it| it > MAX_MEASURING_TIME) {
            return Err(Rejection::LongMeasuring(MAX_MEASURING_TIME.as_secs()));
        }
        let slices = match self.operator.connections(wanted, measure).await {
            Ok(slices) => slices,
            Err(refused) => return client.send(Reply::Refused(refused), &[]).await,
        };
        let mut end = EndOfList::default();
        for slice in slices {
            end.connections += slice.len() as u64;
            client.send(Reply::Connections(slice), &[]).await?;
            yield_now().await;
        }
        client.send(Reply::End(end), &[]).await
    }

    pub(super) async fn disconnect(
        &self,
        client: &mut Client,
        wanted: Wanted,
        at_once: bool,
    ) -> Result<(), Rejection> {
        let (who, what) = (who(&client.stream), wanted.words());
        let reply = match self.operator.disconnect(wanted, at_once) {
            Ok(connections) => {
                tracing::info!(connections, at_once, %what, "{who} disconnects clients");
                Reply::Disconnected { connections }
            }
            Err(refused) => Reply::Refused(refused),
        };
        client.send(reply, &[]).await
    }

    /// Shows traffic until the client disconnects, whether it reads or not.
    pub(super) async fn tap(&self, client: &mut Client, wanted: Wanted) -> Result<(), Rejection> {
        let Ok(_permit) = self.taps.try_acquire() else {
            return Err(Rejection::TooManyTaps(MAX_TAPS));
        };
        let what = wanted.words();
        let tapping = match self.operator.tap(wanted) {
            Ok(tapping) => tapping,
            Err(refused) => return client.send(Reply::Refused(refused), &[]).await,
        };
        let _logged = Logged::begin(&client.stream, &what, &tapping);
        let connections = tapping.connections;
        client.send(Reply::Tapping { connections }, &[]).await?;
        let (from_client, mut to_client) = client.stream.split();
        tokio::select! {
            shown = show(&tapping.tap, &mut to_client) => match shown {
                Err(error) => Err(error.into()),
            },
            ended = ends(&from_client) => Ok(ended?),
        }
    }
}

/// Sends what a tap sees, however slowly the client reads: the tap drops what does not fit.
async fn show(tap: &Tap, to_client: &mut WriteHalf<'_>) -> io::Result<Infallible> {
    loop {
        let lines = tap.next().await;
        let lines = lines.into_iter().map(TapLine::from).collect();
        to_client.write_all(&Reply::Tapped(lines).encode()).await?;
    }
}

/// Completes when the client disconnects or sends anything.
pub(super) async fn ends(from_client: &ReadHalf<'_>) -> io::Result<()> {
    loop {
        from_client.readable().await?;
        match from_client.try_read(&mut [0]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            read => return read.map(drop),
        }
    }
}

/// A tap in the log: who, what, and how long.
struct Logged<'a> {
    who: String,
    what: &'a str,
    begun: Instant,
    tapping: &'a Tapping,
}

impl<'a> Logged<'a> {
    fn begin(stream: &UnixStream, what: &'a str, tapping: &'a Tapping) -> Self {
        let (who, connections) = (who(stream), tapping.connections);
        tracing::info!(%what, connections, "{who} begins to tap traffic");
        Logged {
            who,
            what,
            begun: Instant::now(),
            tapping,
        }
    }
}

impl Drop for Logged<'_> {
    fn drop(&mut self) {
        let duration_ms = self.begun.elapsed().as_millis() as u64;
        let (who, what, dropped) = (&self.who, self.what, self.tapping.tap.dropped());
        tracing::info!(%what, duration_ms, dropped, "{who} no longer taps traffic");
    }
}

/// The user and process of a client, as far as the system knows them.
pub(super) fn who(stream: &UnixStream) -> String {
    let Ok(credentials) = stream.peer_cred() else {
        return "a client of the control socket".to_owned();
    };
    let process = credentials.pid().map(|pid| format!(", process {pid},"));
    format!("user {}{}", credentials.uid(), process.unwrap_or_default())
}
