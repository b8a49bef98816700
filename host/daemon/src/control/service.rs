//! The host's side: each client in a task of its own, each wait with a deadline.

use super::error::Rejection;
use super::operator::{Operator, WantedFile};
use super::protocol::{Reply, Request};
use super::socket::ControlSocket;
use connection::limits::{
    CONTROL_REQUEST_TIME, CONTROL_TAKEOVER_TIME, Limit, MAX_CONTROL_CLIENTS, MAX_CONTROL_FILES,
    MAX_CONTROL_REQUEST_BYTES,
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
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// How long accepting is left alone after it failed, which it does for want of descriptors or memory.
const BACK_OFF: Duration = Duration::from_secs(1);

impl ControlSocket {
    /// Answers clients until this is dropped, which also ends the requests under way. Asks `operator` in tasks
    /// of the runtime.
    pub async fn serve<O: Operator>(self, operator: Arc<O>) -> Infallible {
        let service = Arc::new(Service {
            operator,
            succeeded: self.file.given_up().clone(),
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

struct Service<O> {
    operator: Arc<O>,
    /// Whether another host accepts from the listening sockets and has the control socket's path.
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
            tracing::debug!("a request on the control socket failed: {rejection}");
            let reply = Reply::Error(rejection.to_string());
            // A client that has left does not want to know.
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
            Request::TakeOver => return self.hand_over(client).await,
            Request::Retire => return Err(Rejection::OutOfOrder),
            Request::Swap { service, handler } => {
                let wanted = handler.map(|path| WantedFile {
                    path,
                    opened: std::mem::take(&mut client.passed),
                });
                let swapped = self.operator.swap(service, wanted).await;
                swapped.map(Reply::Swapped)
            }
            Request::RollBack { service } => {
                let swapped = self.operator.roll_back(service).await;
                swapped.map(Reply::Swapped)
            }
            Request::Reload => self.operator.reload().await.map(Reply::Reloaded),
        };
        client.send(done.unwrap_or_else(Reply::Refused), &[]).await
    }

    /// Passes the listening sockets on, and retires when the successor says that it serves them.
    async fn hand_over(&self, client: &mut Client) -> Result<(), Rejection> {
        if self.succeeded.load(Ordering::Acquire) {
            return Err(Rejection::Succeeded);
        }
        let listeners = self.operator.listeners().map_err(Rejection::Listeners)?;
        let (uris, sockets): (Vec<_>, Vec<_>) = listeners.into_iter().unzip();
        client.send(Reply::Listeners(uris), &sockets).await?;
        // They are the successor's: if it fails they shall not be kept open here.
        drop(sockets);
        match client.request(CONTROL_TAKEOVER_TIME).await? {
            None => {
                tracing::warn!("a successor took the sockets, and hung up before it served them");
                return Ok(());
            }
            Some(Request::Retire) => {}
            Some(_) => return Err(Rejection::OutOfOrder),
        }
        if self.succeeded.swap(true, Ordering::AcqRel) {
            return Err(Rejection::Succeeded);
        }
        tracing::info!("another host has taken the listening sockets over");
        self.operator.retire();
        let pid = std::process::id();
        let told = client.send(Reply::Retiring { pid }, &[]).await;
        // Not before: a host that has nobody left to serve ends at once, and the reply with it.
        self.operator.leave();
        told
    }
}

/// The mode of the socket and of its folder keep others out; this holds when somebody has changed them.
fn check_peer(peer: u32, owner: u32) -> Result<(), Rejection> {
    match peer == owner || peer == 0 {
        true => Ok(()),
        false => Err(Rejection::Stranger { peer, owner }),
    }
}

struct Client {
    stream: UnixStream,
    /// What has come behind the last request.
    unread: Vec<u8>,
    /// The descriptors that have come along.
    passed: Vec<OwnedFd>,
}

impl Client {
    /// The next request; `None` if the client hangs up without a word.
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

    /// A line, or what there is of it when the client has finished.
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
            // No request has more of them.
            passed.truncate(MAX_CONTROL_FILES);
            if received == 0 {
                return Ok(std::mem::take(&mut self.unread));
            }
        }
    }

    async fn send(&mut self, reply: Reply, sockets: &[OwnedFd]) -> Result<(), Rejection> {
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
