//! Sockets inherited from systemd or another parent: sd_listen_fds(3).

use address::Endpoint;
use anyhow::Context;
use listenfd::ListenFd;
use nix::libc;
use server::listener::Listener;
use std::env;
use std::io;
use std::os::fd::OwnedFd;

/// The names (`FileDescriptorName=`) of sockets that are for more than plain TCP: the schemes of
/// what they serve.
const KINDS: [&str; 4] = ["tls", "telnet", "ws", "wss"];

/// An inherited socket.
pub struct Inherited {
    socket: OwnedFd,
    name: String,
}

/// An inherited socket that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on inherited socket {number}: {cause}")]
pub struct InheritedError {
    number: usize,
    cause: io::Error,
}

/// Whether an inherited socket is for TLS. Called before they are taken.
pub fn brings_tls() -> bool {
    let pid = env::var("LISTEN_PID").unwrap_or_default();
    let is_ours = pid.is_empty() || pid.parse() == Ok(std::process::id());
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    is_ours
        && env::var_os("LISTEN_FDS").is_some()
        && names
            .split(':')
            .any(|name| kind(name).is_some_and(|it| it.has_tls()))
}

/// An endpoint of the kind that a socket with this name serves, unless that is plain.
fn kind(name: &str) -> Option<Endpoint> {
    let scheme = KINDS.iter().find(|kind| **kind == name)?;
    format!("{scheme}://0.0.0.0:0").parse().ok()
}

/// The inherited sockets, in order; empty if there are none. Called before there are other threads,
/// because it changes the environment: children must not use them.
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
    // IPv6 sockets count as IPv4. A socket of another kind is left alone.
    for (family, kind) in [
        (v4, libc::SOCK_STREAM),
        (v4, libc::SOCK_DGRAM),
        (unix, libc::SOCK_STREAM),
        // Kept so that the listener reports what they are.
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
        "not an IPv4, IPv6 or Unix socket (in a .socket unit: ListenStream=, ListenDatagram=)";
    Err(io::Error::new(io::ErrorKind::InvalidInput, why))
}

impl Inherited {
    /// Converts it to a listener.
    pub fn listener(self) -> anyhow::Result<Listener> {
        let listener = Listener::adopt(self.socket);
        let listener = listener.context("cannot listen on an inherited socket")?;
        Ok(match kind(&self.name) {
            Some(kind) => listener.serving(&kind),
            None => listener,
        })
    }
}
