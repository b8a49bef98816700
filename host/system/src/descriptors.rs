//! File descriptors: the limit of this process, and lines over Unix sockets that carry descriptors
//! (`SCM_RIGHTS`): sockets for a successor, files for the host.

use crate::limits::MAX_CONTROL_LISTENERS;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use rustix::process::{Resource, getrlimit, setrlimit};
use std::io::{self, IoSlice, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::time::Instant;
use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::UnixStream;

/// Raises the descriptor limit of this process as far as possible, and returns it; `None` for no
/// limit. Each connection needs one, and many systems allow 1024 by default.
pub fn allow_many() -> Option<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // If this fails, connections beyond the limit fail later and say so.
    let _ = setrlimit(Resource::Nofile, limit);
    allowed()
}

/// The descriptor limit of this process; `None` for no limit.
pub fn allowed() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// Received descriptors were lost, although their bytes were read.
#[derive(Debug, thiserror::Error)]
#[error(
    "file descriptors were lost: this process has too many open; hint: raise the limit \
 (ulimit -n)"
)]
pub struct Lost;

impl Lost {
    /// Whether an error has this reason.
    pub fn is_why(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|reason| reason.is::<Lost>())
    }
}

const SPACE: usize = rustix::cmsg_space!(ScmRights(MAX_CONTROL_LISTENERS));

/// Sends a line, with the descriptors on its first byte.
pub async fn send(stream: &mut UnixStream, line: &[u8], passed: &[OwnedFd]) -> io::Result<()> {
    if passed.is_empty() {
        return stream.write_all(line).await;
    }
    if passed.len() > MAX_CONTROL_LISTENERS {
        return Err(io::Error::other(format!(
            "more than {MAX_CONTROL_LISTENERS} listening sockets"
        )));
    }
    let sent = stream
        .async_io(Interest::WRITABLE, || send_first(&*stream, line, passed))
        .await?;
    stream.write_all(&line[sent..]).await
}

/// As [`send`], without tokio. Blocks.
pub fn send_blocking(
    mut stream: &StdUnixStream,
    line: &[u8],
    passed: &[OwnedFd],
) -> io::Result<()> {
    let sent = if passed.is_empty() {
        0
    } else {
        send_first(stream, line, passed)?
    };
    stream.write_all(&line[sent..])
}

/// Sends part of a line, and all descriptors.
fn send_first(stream: impl AsFd, line: &[u8], passed: &[OwnedFd]) -> io::Result<usize> {
    let descriptors: Vec<BorrowedFd> = passed.iter().map(AsFd::as_fd).collect();
    let mut space = [MaybeUninit::uninit(); SPACE];
    let mut along = SendAncillaryBuffer::new(&mut space);
    along.push(SendAncillaryMessage::ScmRights(&descriptors));
    let line = [IoSlice::new(line)];
    Ok(sendmsg(stream, &line, &mut along, flags_to_send())?)
}

/// A closed peer is an error, not a signal.
fn flags_to_send() -> SendFlags {
    #[cfg(not(target_vendor = "apple"))]
    return SendFlags::NOSIGNAL;
    #[cfg(target_vendor = "apple")]
    return SendFlags::empty();
}

/// Receives a line of at most `limit` bytes and its descriptors; without an ending if the peer
/// closed before. Fails with `TimedOut` at the deadline, and with `InvalidData` if the line is
/// longer.
pub fn receive(
    stream: &StdUnixStream,
    limit: usize,
    deadline: Instant,
) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
    let mut line = Vec::new();
    let mut received = Vec::new();
    let mut chunk = [0; 4096];
    while !line.ends_with(b"\n") {
        if line.len() > limit {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("a line of more than {limit} bytes"),
            ));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match receive_chunk(stream, &mut chunk, &mut received) {
            Ok(0) => break,
            Ok(count) => line.extend_from_slice(&chunk[..count]),
            // A socket timeout looks like this; the deadline decides.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok((line, received))
}

/// Receives some bytes and their descriptors. Zero bytes mean the end.
pub async fn receive_some(
    stream: &UnixStream,
    line: &mut Vec<u8>,
    received: &mut Vec<OwnedFd>,
) -> io::Result<usize> {
    let mut chunk = [0; 4096];
    let count = stream
        .async_io(Interest::READABLE, || {
            receive_chunk(stream, &mut chunk, received)
        })
        .await?;
    line.extend_from_slice(&chunk[..count]);
    Ok(count)
}

fn receive_chunk(
    stream: impl AsFd,
    chunk: &mut [u8],
    received: &mut Vec<OwnedFd>,
) -> io::Result<usize> {
    // Child processes must not inherit them.
    #[cfg(not(target_vendor = "apple"))]
    let flags = RecvFlags::CMSG_CLOEXEC;
    #[cfg(target_vendor = "apple")]
    let flags = RecvFlags::empty();
    let mut space = [MaybeUninit::uninit(); SPACE];
    let mut along = RecvAncillaryBuffer::new(&mut space);
    let message = recvmsg(stream, &mut [IoSliceMut::new(chunk)], &mut along, flags)?;
    for part in along.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = part {
            received.extend(descriptors);
        }
    }
    if message.flags.contains(ReturnFlags::CTRUNC) {
        return Err(io::Error::other(Lost));
    }
    Ok(message.bytes)
}
