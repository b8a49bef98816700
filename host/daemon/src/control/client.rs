//! The client's side: one request, one reply.

use super::error::ControlError;
use super::protocol::{Reply, Request};
use connection::limits::{CONTROL_REPLY_TIME, CONTROL_SWAP_TIME, MAX_CONTROL_REPLY_BYTES};
use rustix::process::geteuid;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use system::descriptors;
use system::ownership::check_above;
use system::unix_socket::{connect, folder_of};

/// Asks the host at `path`, and passes on what was `opened` for it. [`Reply::Error`] becomes
/// [`ControlError::Declined`]. Blocks until the reply is there, for some seconds at most, or for as long as a
/// handler may take to load.
pub fn request(path: &Path, request: &Request, opened: &[OwnedFd]) -> Result<Reply, ControlError> {
    let patience = match request {
        Request::Swap { .. } | Request::RollBack { .. } | Request::Reload => CONTROL_SWAP_TIME,
        Request::Status | Request::TakeOver | Request::Retire => CONTROL_REPLY_TIME,
    };
    // Descriptors that come along are closed.
    let (reply, _) = Line::open(path)?.ask(request, opened, patience)?;
    Ok(reply)
}

/// Whose process has begun to listen.
fn peer_user(stream: &UnixStream) -> io::Result<u32> {
    #[cfg(target_os = "linux")]
    return Ok(rustix::net::sockopt::socket_peercred(stream)?.uid.as_raw());
    #[cfg(not(target_os = "linux"))]
    return Ok(nix::unistd::getpeereid(stream)?.0.as_raw());
}

/// Whether nobody but root and this user could have put a socket there. Root may control hosts of others.
fn is_only_theirs(path: &Path, user: u32) -> bool {
    let is_theirs = || {
        let folder = folder_of(path).canonicalize()?;
        let found = fs::metadata(&folder)?;
        let socket = fs::symlink_metadata(path)?;
        let above = check_above(&folder).is_ok();
        let is_theirs = socket.uid() == user && [0, user].contains(&found.uid());
        io::Result::Ok(is_theirs && above && found.mode() & 0o022 == 0)
    };
    is_theirs().unwrap_or(false)
}

/// A connection to a control socket.
#[derive(Debug)]
pub(super) struct Line {
    stream: UnixStream,
    path: PathBuf,
}

impl Line {
    pub(super) fn open(path: &Path) -> Result<Self, ControlError> {
        let fail = |cause| ControlError::Connect {
            path: path.to_owned(),
            cause,
        };
        let stream = connect(path).map_err(fail)?;
        // What is handed over, and what comes back, is nobody else's.
        let listener = peer_user(&stream).map_err(fail)?;
        let client = geteuid().as_raw();
        let is_trusted =
            [0, client].contains(&listener) || client == 0 && is_only_theirs(path, listener);
        if !is_trusted {
            return Err(ControlError::Stranger {
                path: path.to_owned(),
                listener,
            });
        }
        Ok(Line {
            stream,
            path: path.to_owned(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The reply, and the descriptors that came with it.
    pub(super) fn ask(
        &self,
        request: &Request,
        opened: &[OwnedFd],
        patience: Duration,
    ) -> Result<(Reply, Vec<OwnedFd>), ControlError> {
        let path = || self.path.clone();
        let Some(line) = request.encode() else {
            let handler = match request {
                Request::Swap { handler, .. } => handler.clone(),
                _ => None,
            };
            return Err(ControlError::HandlerPath {
                path: handler.unwrap_or_default(),
            });
        };
        let deadline = Instant::now() + patience;
        let (reply, passed) = self
            .send(&line, opened)
            .and_then(|()| descriptors::receive(&self.stream, MAX_CONTROL_REPLY_BYTES, deadline))
            .map_err(|cause| match cause.kind() {
                io::ErrorKind::TimedOut => ControlError::TimedOut {
                    path: path(),
                    seconds: patience.as_secs(),
                },
                io::ErrorKind::ConnectionReset => ControlError::Ended { path: path() },
                _ => ControlError::Io {
                    path: path(),
                    cause,
                },
            })?;
        if !reply.ends_with(b"\n") {
            return Err(ControlError::Ended { path: path() });
        }
        match Reply::decode(&reply) {
            Ok(Reply::Error(reason)) => Err(ControlError::Declined {
                path: path(),
                reason,
            }),
            Ok(reply) => Ok((reply, passed)),
            Err(what) => Err(ControlError::Answer { path: path(), what }),
        }
    }

    /// A host that hangs up while we send may have said why: the reply tells.
    fn send(&self, line: &[u8], opened: &[OwnedFd]) -> io::Result<()> {
        self.stream.set_write_timeout(Some(CONTROL_REPLY_TIME))?;
        match descriptors::send_blocking(&self.stream, line, opened) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            sent => sent,
        }
    }
}
