//! Sockets that systemd, or whatever started the host, has opened for it: sd_listen_fds(3).

use anyhow::Context;
use listenfd::ListenFd;
use nix::libc;
use server::listener::Listener;
use std::env;
use std::io;
use std::os::fd::OwnedFd;

/// What a socket is called (`FileDescriptorName=`) on which clients are to speak TLS.
const TLS: &str = "tls";

/// A socket that came with the process.
pub struct Inherited {
    socket: OwnedFd,
    name: String,
}

/// A socket that can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on inherited socket {number}: {cause}")]
pub struct InheritedError {
    number: usize,
    cause: io::Error,
}

/// Whether one of the sockets that come with the process is for TLS. Asked before they are taken.
pub fn brings_tls() -> bool {
    let pid = env::var("LISTEN_PID").unwrap_or_default();
    let is_ours = pid.is_empty() || pid.parse() == Ok(std::process::id());
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    is_ours && env::var_os("LISTEN_FDS").is_some() && names.split(':').any(|name| name == TLS)
}

/// The sockets that came with the process, in their order; none if it was started by hand. Called before there
/// are other threads, as it changes the environment: children must not take them for theirs.
pub fn sockets() -> Result<Vec<Inherited>, InheritedError> {
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':').map(str::to_owned);
    let mut inherited = ListenFd::from_env();
    let mut sockets = Vec::new();
    for index in 0..inherited.len() {
        let name = names.next().unwrap_or_default();
        let socket = take(&mut inherited, index).map_err(|cause| InheritedError {
            number: index + 1,
            cause,
        })?;
        sockets.extend(socket.map(|socket| Inherited { socket, name }));
    }
    Ok(sockets)
}

fn take(inherited: &mut ListenFd, index: usize) -> io::Result<Option<OwnedFd>> {
    let (v4, unix) = (libc::AF_INET, libc::AF_UNIX);
    // Those of IPv6 count as IPv4's. A socket of another kind stays where it is.
    for (family, kind) in [
        (v4, libc::SOCK_STREAM),
        (v4, libc::SOCK_DGRAM),
        (unix, libc::SOCK_STREAM),
        // For the listener to say what they are.
        (unix, libc::SOCK_SEQPACKET),
        (unix, libc::SOCK_DGRAM),
        (v4, libc::SOCK_SEQPACKET),
        (v4, libc::SOCK_RAW),
    ] {
        if let Ok(taken) = inherited.take_custom::<OwnedFd>(index, family, kind, "") {
            return Ok(taken);
        }
    }
    let why =
        "it is no socket of IPv4, IPv6 or Unix (in a .socket unit: ListenStream=, ListenDatagram=)";
    Err(io::Error::new(io::ErrorKind::InvalidInput, why))
}

impl Inherited {
    /// The listener that it is.
    pub fn listener(self) -> anyhow::Result<Listener> {
        let listener = Listener::adopt(self.socket);
        let listener = listener.context("cannot listen on an inherited socket")?;
        Ok(match self.name == TLS {
            true => listener.with_tls(),
            false => listener,
        })
    }
}
