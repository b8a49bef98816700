//! Errors of both sides of a control socket.

use super::folder::FolderError;
use super::malformed::MalformedRequest;
use std::io;
use std::path::{Path, PathBuf};
use system::unix_socket::{SocketFileError, reason};

/// Why a host has no control socket.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    #[error("cannot create the control socket: {0}")]
    Folder(#[from] FolderError),
    #[error(
        "a running host has its control socket at {}; hint: choose another path with --control, \
         or replace that host with --takeover",
        path.display()
    )]
    Taken { path: PathBuf },
    #[error(
        "cannot create the control socket {}: the path exists and is not a socket; hint: remove \
         it, or choose another path with --control",
        path.display()
    )]
    Occupied { path: PathBuf },
    #[error("cannot create the control socket {}: {}", path.display(), reason(cause))]
    Bind { path: PathBuf, cause: io::Error },
}

impl SocketError {
    pub(super) fn of_file(path: &Path, error: SocketFileError) -> Self {
        let path = path.to_owned();
        match error {
            SocketFileError::Taken => SocketError::Taken { path },
            SocketFileError::Occupied => SocketError::Occupied { path },
            SocketFileError::Io(cause) => SocketError::Bind { path, cause },
        }
    }
}

/// Why a request to a running host failed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    #[error(
        "no running host found: no control socket in {}; hint: start one with `echo-host serve`, \
         or name its socket with --control PATH",
        folder.display()
    )]
    NoHost { folder: PathBuf },
    #[error("several hosts are running; hint: choose one with {}", list(hosts))]
    SeveralHosts {
        /// Their sockets, and the processes of those that replied.
        hosts: Vec<(PathBuf, Option<u32>)>,
    },
    #[error("cannot look for running hosts: {0}; hint: name a control socket with --control PATH")]
    Folder(#[from] FolderError),
    #[error("no host answers on control socket {}: {cause}", path.display())]
    Connect { path: PathBuf, cause: io::Error },
    #[error(
        "control socket {} belongs to a process of user {listener}, which is neither you nor \
         root: nothing was sent",
        path.display()
    )]
    Stranger { path: PathBuf, listener: u32 },
    #[error("cannot send the handler's path {} to the host: it is not UTF-8", path.display())]
    HandlerPath { path: PathBuf },
    #[error("lost the host on {}: {cause}", path.display())]
    Io { path: PathBuf, cause: io::Error },
    #[error(
        "no answer from the host on {} within {seconds} s; the request may still be carried out",
        path.display()
    )]
    TimedOut { path: PathBuf, seconds: u64 },
    #[error("the host on {} ended before answering", path.display())]
    Ended { path: PathBuf },
    #[error("bad answer from the host on {}: {what}", path.display())]
    Answer { path: PathBuf, what: String },
    #[error("the host on {} refused: {reason}", path.display())]
    Declined { path: PathBuf, reason: String },
}

fn list(hosts: &[(PathBuf, Option<u32>)]) -> String {
    let one = |(path, pid): &(PathBuf, Option<u32>)| {
        let pid = pid.map_or("pid unknown".to_owned(), |pid| format!("pid {pid}"));
        format!("--control {} ({pid})", path.display())
    };
    hosts.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Why the host refuses a request.
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    #[error("user {peer} may not control this host: only user {owner} and root may")]
    Stranger { peer: u32, owner: u32 },
    #[error("the request is longer than {0} bytes")]
    TooLong(usize),
    #[error("no request came within {0} s")]
    Late(u64),
    #[error(transparent)]
    Malformed(#[from] MalformedRequest),
    #[error("retire must follow take-over on the same connection, and nothing else may")]
    OutOfOrder,
    #[error("measuring may take at most {0} s")]
    LongMeasuring(u64),
    #[error("{0} taps are open already: end one of them")]
    TooManyTaps(usize),
    #[error("a profile may take at most {0} s")]
    LongProfile(u64),
    #[error("another host has already taken over the sockets")]
    Succeeded,
    #[error("cannot pass on the listening sockets: {0}")]
    Listeners(io::Error),
    #[error("cannot talk to the client: {0}")]
    Io(#[from] io::Error),
}
