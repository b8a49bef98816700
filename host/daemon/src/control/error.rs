//! What can go wrong on either side of a control socket.

use super::folder::FolderError;
use super::protocol::MalformedRequest;
use std::io;
use std::path::{Path, PathBuf};
use system::unix_socket::{PlaceError, reason};

/// Why a host has no control socket.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    #[error("no place for the control socket: {0}")]
    Folder(#[from] FolderError),
    #[error(
        "a running host has its control socket at {}: choose another path with --control, or replace that host with --takeover",
        path.display()
    )]
    Taken { path: PathBuf },
    #[error(
        "cannot make the control socket {}: something else is there that is no socket; remove it, or choose another path with --control",
        path.display()
    )]
    Occupied { path: PathBuf },
    #[error("cannot make the control socket {}: {}", path.display(), reason(cause))]
    Bind { path: PathBuf, cause: io::Error },
}

impl SocketError {
    pub(super) fn place(path: &Path, error: PlaceError) -> Self {
        let path = path.to_owned();
        match error {
            PlaceError::Taken => SocketError::Taken { path },
            PlaceError::Occupied => SocketError::Occupied { path },
            PlaceError::Io(cause) => SocketError::Bind { path, cause },
        }
    }
}

/// Why a running host did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    #[error(
        "no host with a control socket is running: there is none in {}; start one with `echo-host serve`, or name its socket with --control PATH",
        folder.display()
    )]
    NoHost { folder: PathBuf },
    #[error("several hosts are running: choose one of {}", list(hosts))]
    SeveralHosts {
        /// Their sockets, and their processes where they answered.
        hosts: Vec<(PathBuf, Option<u32>)>,
    },
    #[error("cannot look for running hosts: {0}; name a socket with --control PATH")]
    Folder(#[from] FolderError),
    #[error("no host answers on the control socket {}: {cause}", path.display())]
    Connect { path: PathBuf, cause: io::Error },
    #[error(
        "user {listener} listens on the control socket {}, which is neither you nor root: nothing was sent",
        path.display()
    )]
    Stranger { path: PathBuf, listener: u32 },
    #[error("the handler's path {} is not UTF-8, and cannot be sent to the host", path.display())]
    HandlerPath { path: PathBuf },
    #[error("talking to the host on {} failed: {cause}", path.display())]
    Io { path: PathBuf, cause: io::Error },
    #[error(
        "the host on {} has not answered within {seconds} s; what it was asked for may still happen",
        path.display()
    )]
    TimedOut { path: PathBuf, seconds: u64 },
    #[error("the host on {} ended before it answered", path.display())]
    Ended { path: PathBuf },
    #[error("the answer on {} makes no sense: {what}", path.display())]
    Answer { path: PathBuf, what: String },
    #[error("the host on {} declined: {reason}", path.display())]
    Declined { path: PathBuf, reason: String },
}

fn list(hosts: &[(PathBuf, Option<u32>)]) -> String {
    let one = |(path, pid): &(PathBuf, Option<u32>)| {
        let pid = pid.map_or("pid unknown".to_owned(), |pid| format!("pid {pid}"));
        format!("--control {} ({pid})", path.display())
    };
    hosts.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Why the host answers a client with an error.
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    #[error("user {peer} may not control this host: only its owner, user {owner}, and root may")]
    Stranger { peer: u32, owner: u32 },
    #[error("the request is longer than {0} bytes")]
    TooLong(usize),
    #[error("no request came within {0} s")]
    Late(u64),
    #[error(transparent)]
    Malformed(#[from] MalformedRequest),
    #[error("retire follows take-over on the same connection, and nothing else does")]
    OutOfOrder,
    #[error("another host has taken this one's sockets over already")]
    Succeeded,
    #[error("the listening sockets cannot be passed on: {0}")]
    Listeners(io::Error),
    #[error("cannot talk to the client: {0}")]
    Io(#[from] io::Error),
}
