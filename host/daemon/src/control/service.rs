//! The host side of the control socket: each client in its own task, each wait with a deadline.

use super::error::Rejection;
use super::operator::{Operator, WantedFile};
use super::protocol::Reply;
use super::request::Request;
use super::socket::ControlSocket;
use connection::limits::{
    CONTROL_REQUEST_TIME, CONTROL_TAKEOVER_TIME, Limit, MAX_CONTROL_CLIENTS, MAX_CONTROL_FILES,
    MAX_CONTROL_REQUEST_BYTES, MAX_TAPS,
};
use rustix::process::geteuid;
use std::convert::Infallible;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use system::descriptors;
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// The pause after accepting failed, which it does for lack of descriptors or memory.
const BACK_OFF: Duration = Duration::from_secs(1);

impl ControlSocket {
    /// Serves clients until dropped, which also ends running requests. Calls `operator` in tasks of
    /// the runtime.
    pub async fn serve<O: Operator>(self, operator: Arc<O>) -> Infallible {
        let service = Arc::new(Service {
            operator,
            succeeded: self.file.given_up().clone(),
            taps: Semaphore::new(MAX_TAPS),
        });
        let mut clients = JoinSet::new();
        loop {
            while clients.len() >= MAX_CONTROL_CLIENTS {
                Limit::ControlClients.reached();
                clients.join_next().await;
            }
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    clients.spawn(service.clone().attend(stream));
                }
                Err(error) => {
                    tracing::warn!("cannot accept on the control socket: {error}");
                    sleep(BACK_OFF).await;
                }
            }
            while clients.try_join_next().is_some() {}
        }
    }
}

pub(super) struct Service<O> {
    pub(super) operator: Arc<O>,
    /// A permit for each tap that may be opened.
    pub(super) taps: Semaphore,
    /// Whether another host has the listening sockets and the path of the control socket.
    succeeded: Arc<AtomicBool>,
}

impl<O: Operator> Service<O> {
    async fn attend(self: Arc<Self>, stream: UnixStream) {
        let mut client = Client {
            stream,
            unread: Vec::new(),
            passed: Vec::new(),
        };
        if let Err(rejection) = self.converse(&mut client).await {
            tracing::debug!("control request failed: {rejection}");
            let reply = Reply::Error(rejection.to_string());
            // A disconnected client needs no reply.
            let _ = client.send(reply, &[]).await;
        }
    }

    async fn converse(&self, client: &mut Client) -> Result<(), Rejection> {
        check_peer(client.stream.peer_cred()?.uid(), geteuid().as_raw())?;
        let Some(request) = client.request(CONTROL_REQUEST_TIME).await? else {
            return Ok(());
        };
        let done = match request {
            Request::Status => {
                return client
                    .send(Reply::Status(self.operator.status().into()), &[])
                    .await;
            }
            Request::Connections { wanted, measure } => {
                return self.list(client, wanted, measure).await;
            }
            Request::Disconnect { wanted, at_once } => {
                return self.disconnect(client, wanted, at_once).await;
            }
            Request::Tap(wanted) => return self.tap(client, wanted).await,
            Request::Profile { service, duration } => {
                return self.profile(client, service, duration).await;
            }
            Request::TakeOver => return self.hand_over(client).await,
            Request::Retire => return Err(Rejection::OutOfOrder),
            Request::Swap {
                service,
                handler,
                allow_imports,
            } => {
                let wanted = handler.map(|path| WantedFile {
                    path,
                    opened: std::mem::take(&mut client.passed),
                });
                let swapped = self.operator.swap(service, wanted, allow_imports).await;
                swapped.map(Reply::Swapped)
            }
            Request::RollBack {
                service,
                generation,
            } => {
                let swapped = self.operator.roll_back(service, generation).await;
                swapped.map(Reply::Swapped)
            }
            Request::Reload => self.operator.reload().await.map(Reply::Reloaded),
        };
        client.send(done.unwrap_or_else(Reply::Refused), &[]).await
    }

    /// Passes on the listening sockets, and retires when the successor serves them.
    async fn hand_over(&self, client: &mut Client) -> Result<(), Rejection> {
        if self.succeeded.load(Ordering::Acquire) {
            return Err(Rejection::Succeeded);
        }
        let listeners = self.operator.listeners().map_err(Rejection::Listeners)?;
        let (uris, sockets): (Vec<_>, Vec<_>) = listeners.into_iter().unzip();
        client.send(Reply::Listeners(uris), &sockets).await?;
        // They belong to the successor: if it fails, they must not stay open here.
        drop(sockets);
        match client.request(CONTROL_TAKEOVER_TIME).await? {
            None => {
                tracing::warn!(
                    "a new host took the sockets over, but disconnected before it served them"
                );
                return Ok(());
            }
            Some(Request::Retire) => {}
            Some(_) => return Err(Rejection::OutOfOrder),
        }
        if self.succeeded.swap(true, Ordering::AcqRel) {
            return Err(Rejection::Succeeded);
        }
        tracing::info!("another host took over the listening sockets");
        self.operator.retire();
        let pid = std::process::id();
        let told = client.send(Reply::Retiring { pid }, &[]).await;
        // After the reply: a host without connections ends at once.
        self.operator.leave();
        told
    }
}

/// Second line of defence: the modes of the socket and its folder should keep others out already.
fn check_peer(peer: u32, owner: u32) -> Result<(), Rejection> {
    if peer == owner || peer == 0 {
        Ok(())
    } else {
        Err(Rejection::Stranger { peer, owner })
    }
}

pub(super) struct Client {
    pub(super) stream: UnixStream,
    /// Bytes after the last request.
    unread: Vec<u8>,
    /// Received descriptors.
    passed: Vec<OwnedFd>,
}

impl Client {
    /// The next request; `None` if the client disconnects without one.
    async fn request(&mut self, limit: Duration) -> Result<Option<Request>, Rejection> {
        let line = match timeout(limit, self.line()).await {
            Ok(line) => line?,
            Err(_) => {
                Limit::ControlRequest.reached();
                return Err(Rejection::Late(limit.as_secs()));
            }
        };
        match line.trim_ascii() {
            [] => Ok(None),
            line => Ok(Some(Request::decode(line)?)),
        }
    }

    /// A line, or the partial line at the end of input.
    async fn line(&mut self) -> Result<Vec<u8>, Rejection> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let rest = self.unread.split_off(end + 1);
                return Ok(std::mem::replace(&mut self.unread, rest));
            }
            if self.unread.len() >= MAX_CONTROL_REQUEST_BYTES {
                Limit::ControlRequest.reached();
                return Err(Rejection::TooLong(MAX_CONTROL_REQUEST_BYTES));
            }
            let (unread, passed) = (&mut self.unread, &mut self.passed);
            let received = descriptors::receive_some(&self.stream, unread, passed).await?;
            // No request has more descriptors.
            passed.truncate(MAX_CONTROL_FILES);
            if received == 0 {
                return Ok(std::mem::take(&mut self.unread));
            }
        }
    }

    pub(super) async fn send(
        &mut self,
        reply: Reply,
        sockets: &[OwnedFd],
    ) -> Result<(), Rejection> {
        let line = reply.encode();
        match timeout(
            CONTROL_REQUEST_TIME,
            descriptors::send(&mut self.stream, &line, sockets),
        )
        .await
        {
            Ok(sent) => Ok(sent?),
            Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_owner_and_root_may_ask() {
        assert!(check_peer(1000, 1000).is_ok());
        assert!(check_peer(0, 1000).is_ok());
        assert!(check_peer(1000, 0).is_err());
        let stranger = check_peer(1001, 1000).unwrap_err().to_string();
        assert!(stranger.starts_with("user 1001 may not"), "{stranger}");
    }
}
