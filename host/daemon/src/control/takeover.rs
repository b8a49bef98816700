//! The successor's side of a takeover.

use super::client::Line;
use super::error::{ControlError, SocketError};
use super::protocol::{Reply, Request};
use super::socket::{ControlSocket, PreparedSocket};
use connection::limits::CONTROL_REPLY_TIME;
use std::os::fd::OwnedFd;
use std::path::Path;

/// A running host whose listening sockets are here, too. Both could accept from them; the predecessor goes on
/// doing so until it is told to retire, and for ever if this is dropped before.
#[derive(Debug)]
pub struct Predecessor {
    line: Line,
    sockets: Vec<(String, OwnedFd)>,
}

impl Predecessor {
    /// Asks the host whose control socket is at `path` for its listening sockets. Blocks for some seconds at
    /// most.
    pub fn meet(path: &Path) -> Result<Self, ControlError> {
        let line = Line::open(path)?;
        let (reply, sockets) = line.ask(&Request::TakeOver, &[], CONTROL_REPLY_TIME)?;
        match reply {
            Reply::Listeners(uris) if uris.len() == sockets.len() => Ok(Predecessor {
                sockets: uris.into_iter().zip(sockets).collect(),
                line,
            }),
            _ => Err(ControlError::Answer {
                path: path.to_owned(),
                what: "the list of listening sockets does not fit those that came".into(),
            }),
        }
    }

    /// Its control socket.
    pub fn path(&self) -> &Path {
        self.line.path()
    }

    /// What its listening sockets are called.
    pub fn uris(&self) -> impl Iterator<Item = &str> {
        self.sockets.iter().map(|(uri, _)| uri.as_str())
    }

    /// Its listening sockets with their URIs, once.
    pub fn take_sockets(&mut self) -> Vec<(String, OwnedFd)> {
        std::mem::take(&mut self.sockets)
    }

    /// Tells it that this process serves its clients from now on, and takes the place of its control socket.
    /// Blocks for some seconds at most. Must be called within a tokio runtime.
    ///
    /// An error means that the predecessor serves on, and that this process must not. A control socket is
    /// missing if only its last step failed, which is logged.
    pub fn retire(self) -> Result<Option<ControlSocket>, TakeoverError> {
        let prepared = PreparedSocket::new(self.path())?;
        match self.line.ask(&Request::Retire, &[], CONTROL_REPLY_TIME) {
            Ok((Reply::Retiring { pid }, _)) => {
                tracing::info!("took over from process {pid}, which drains");
            }
            Err(error @ ControlError::Declined { .. }) => return Err(error.into()),
            // It may have heard, or have ended by itself: then nobody serves if this process does not.
            other => tracing::warn!(
                "took over, and cannot tell whether the former host drains: {}",
                other
                    .err()
                    .map_or("it gave another answer".into(), |error| error.to_string())
            ),
        }
        match prepared.replace() {
            Ok(socket) => Ok(Some(socket)),
            Err(error) => {
                tracing::warn!("serving without a control socket: {error}");
                Ok(None)
            }
        }
    }
}

/// Why a takeover came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum TakeoverError {
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    Socket(#[from] SocketError),
}
