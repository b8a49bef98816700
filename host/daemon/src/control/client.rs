//! The client side of the control socket: one request, one reply.

use super::error::ControlError;
use super::protocol::Reply;
use super::request::Request;
use connection::limits::{CONTROL_REPLY_TIME, CONTROL_SWAP_TIME, MAX_CONTROL_REPLY_BYTES};
use rustix::process::geteuid;
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use system::descriptors;
use system::ownership::check_above;
use system::unix_socket::{connect, folder_of};

/// Sends a request and the `opened` files to the host at `path`. [`Reply::Error`] becomes
/// [`ControlError::Declined`]. Blocks until the reply arrives: a few seconds, or as long as loading
/// a handler may take.
pub fn request(path: &Path, request: &Request, opened: &[OwnedFd]) -> Result<Reply, ControlError> {
    let patience = match request {
        Request::Swap { .. } | Request::RollBack { .. } | Request::Reload => CONTROL_SWAP_TIME,
        Request::Connections { measure, .. } => CONTROL_REPLY_TIME + measure.unwrap_or_default(),
        Request::Status
        | Request::Disconnect { .. }
        | Request::Tap(_)
        | Request::Profile { .. }
        | Request::TakeOver
        | Request::Retire => CONTROL_REPLY_TIME,
    };
    // Received descriptors are closed.
    let (reply, _) = Line::open(path)?.ask(request, opened, patience)?;
    Ok(reply)
}

/// The replies to a request that has several. Their descriptors are not received.
#[derive(Debug)]
pub struct Replies {
    path: PathBuf,
    lines: BufReader<UnixStream>,
}

impl Replies {
    /// Sends a request to the host at `path`, whose first reply comes within this time.
    pub fn to(path: &Path, request: &Request, patience: Duration) -> Result<Self, ControlError> {
        let line = Line::open(path)?;
        let request = request.encode().unwrap_or_default();
        let sent = line.send(&request, &[]);
        let sent = sent.and_then(|()| line.stream.set_read_timeout(Some(patience)));
        sent.map_err(|error| failed(path, patience, error))?;
        Ok(Replies {
            path: line.path,
            lines: BufReader::new(line.stream),
        })
    }

    /// The next reply, however long it takes; `None` when the host has ended.
    pub fn wait(&mut self) -> Result<Option<Reply>, ControlError> {
        let unlimited = self.lines.get_ref().set_read_timeout(None);
        unlimited.map_err(|error| failed(&self.path, Duration::ZERO, error))?;
        self.receive(Duration::ZERO)
    }

    /// The next reply, within the time that the first one has.
    pub fn next(&mut self, patience: Duration) -> Result<Reply, ControlError> {
        let path = self.path.clone();
        let reply = self.receive(patience)?;
        reply.ok_or(ControlError::Ended { path })
    }

    fn receive(&mut self, patience: Duration) -> Result<Option<Reply>, ControlError> {
        let mut line = Vec::new();
        let limit = MAX_CONTROL_REPLY_BYTES as u64 + 1;
        let read = (&mut self.lines).take(limit).read_until(b'\n', &mut line);
        match read {
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
            Err(error) => return Err(failed(&self.path, patience, error)),
            Ok(_) if !line.ends_with(b"\n") => return Ok(None),
            Ok(_) => {}
        }
        decoded(&self.path, &line).map(Some)
    }
}

/// The reply in a line, unless it is an error.
fn decoded(path: &Path, line: &[u8]) -> Result<Reply, ControlError> {
    let path = path.to_owned();
    match Reply::decode(line) {
        Ok(Reply::Error(reason)) => Err(ControlError::Declined { path, reason }),
        Ok(reply) => Ok(reply),
        Err(what) => Err(ControlError::Answer { path, what }),
    }
}

fn failed(path: &Path, patience: Duration, cause: io::Error) -> ControlError {
    let path = path.to_owned();
    match cause.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => ControlError::TimedOut {
            path,
            seconds: patience.as_secs(),
        },
        io::ErrorKind::ConnectionReset => ControlError::Ended { path },
        _ => ControlError::Io { path, cause },
    }
}

/// The user of the listening process.
fn peer_user(stream: &UnixStream) -> io::Result<u32> {
    #[cfg(target_os = "linux")]
    return Ok(rustix::net::sockopt::socket_peercred(stream)?.uid.as_raw());
    #[cfg(not(target_os = "linux"))]
    return Ok(nix::unistd::getpeereid(stream)?.0.as_raw());
}

/// Whether only root and this user could have put a socket there. Root may control hosts of other
/// users.
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
        // Only the right user may receive what we send.
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

    /// The reply, with its descriptors.
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
            .map_err(|cause| failed(&self.path, patience, cause))?;
        if !reply.ends_with(b"\n") {
            return Err(ControlError::Ended { path: path() });
        }
        Ok((decoded(&self.path, &reply)?, passed))
    }

    /// A host that closes while we send may have said why: the reply tells.
    fn send(&self, line: &[u8], opened: &[OwnedFd]) -> io::Result<()> {
        self.stream.set_write_timeout(Some(CONTROL_REPLY_TIME))?;
        match descriptors::send_blocking(&self.stream, line, opened) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            sent => sent,
        }
    }
}
