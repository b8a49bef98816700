//! Finding the running host that is meant when none is named.

use super::client::request;
use super::error::ControlError;
use super::folder;
use super::protocol::{Reply, Request};
use std::io;
use std::path::PathBuf;

/// The control socket of the only host that runs for this user and has one at the default place.
pub fn find() -> Result<PathBuf, ControlError> {
    let (folder, mut sockets) = folder::sockets()?;
    sockets.sort();
    let mut hosts = Vec::new();
    for path in sockets {
        match request(&path, &Request::Status, &[]) {
            Ok(Reply::Status(status)) => hosts.push((path, Some(status.pid))),
            // What a host left behind that was killed, or has been removed just now.
            Err(ControlError::Connect { cause, .. })
                if [io::ErrorKind::ConnectionRefused, io::ErrorKind::NotFound]
                    .contains(&cause.kind()) => {}
            Err(ControlError::Ended { .. }) => {}
            // It runs, and asking it what is meant will say more.
            _ => hosts.push((path, None)),
        }
    }
    match hosts.len() {
        0 => Err(ControlError::NoHost { folder }),
        1 => Ok(hosts.remove(0).0),
        _ => Err(ControlError::SeveralHosts { hosts }),
    }
}
