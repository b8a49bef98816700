//! Sockets that systemd, or whatever started the host, has opened for it: sd_listen_fds(3).

use anyhow::Context;
use echo_host::listener::Listener;
use listenfd::ListenFd;
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
    // A socket of another kind stays where it is.
    if let Ok(datagrams) = inherited.take_udp_socket(index) {
        return Ok(datagrams.map(OwnedFd::from));
    }
    if let Ok(unix) = inherited.take_unix_listener(index) {
        return Ok(unix.map(OwnedFd::from));
    }
    let listener = inherited.take_tcp_listener(index)?;
    Ok(listener.map(OwnedFd::from))
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
