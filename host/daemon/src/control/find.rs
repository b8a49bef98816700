//! Finds the running host when none is named.

use super::client::request;
use super::error::ControlError;
use super::folder;
use super::protocol::Reply;
use super::request::Request;
use std::io;
use std::path::PathBuf;

/// The control socket of the only running host of this user at the default path.
pub fn find() -> Result<PathBuf, ControlError> {
    let (folder, mut sockets) = folder::sockets()?;
    sockets.sort();
    let mut hosts = Vec::new();
    for path in sockets {
        match request(&path, &Request::Status, &[]) {
            Ok(Reply::Status(status)) => hosts.push((path, Some(status.pid))),
            // Left behind by a killed host, or removed just now.
            Err(ControlError::Connect { cause, .. })
                if [io::ErrorKind::ConnectionRefused, io::ErrorKind::NotFound]
                    .contains(&cause.kind()) => {}
            Err(ControlError::Ended { .. }) => {}
            // It runs; the request will tell more.
            _ => hosts.push((path, None)),
        }
    }
    match hosts.len() {
        0 => Err(ControlError::NoHost { folder }),
        1 => Ok(hosts.remove(0).0),
        _ => Err(ControlError::SeveralHosts { hosts }),
    }
}
