//! Sockets that systemd, or whatever started the host, has opened for it: sd_listen_fds(3).

use listenfd::ListenFd;
use std::io;
use std::os::fd::OwnedFd;

/// A socket that can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on inherited socket {number}: {cause}")]
pub struct InheritedError {
    number: usize,
    cause: io::Error,
}

/// The listening sockets that came with the process, in their order; none if it was started by hand. Called
/// before there are other threads, as it changes the environment: children must not take them for theirs.
pub fn sockets() -> Result<Vec<OwnedFd>, InheritedError> {
    let mut inherited = ListenFd::from_env();
    let mut sockets = Vec::new();
    for index in 0..inherited.len() {
        let socket = take(&mut inherited, index).map_err(|cause| InheritedError {
            number: index + 1,
            cause,
        })?;
        sockets.extend(socket);
    }
    Ok(sockets)
}

fn take(inherited: &mut ListenFd, index: usize) -> io::Result<Option<OwnedFd>> {
    // A socket of another kind stays where it is.
    if let Ok(datagrams) = inherited.take_udp_socket(index) {
        return Ok(datagrams.map(OwnedFd::from));
    }
    let listener = inherited.take_tcp_listener(index)?;
    Ok(listener.map(OwnedFd::from))
}
