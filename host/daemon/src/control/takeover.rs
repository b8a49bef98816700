//! The successor's side of a takeover.

use super::client::Line;
use super::error::{ControlError, SocketError};
use super::protocol::Reply;
use super::request::Request;
use super::socket::{ControlSocket, PreparedSocket};
use connection::limits::CONTROL_REPLY_TIME;
use std::os::fd::OwnedFd;
use std::path::Path;

/// A running host whose listening sockets this process has too. Both could accept; the predecessor
/// keeps accepting until it is told to retire. If this is dropped before, it never retires.
#[derive(Debug)]
pub struct Predecessor {
    line: Line,
    sockets: Vec<(String, OwnedFd)>,
}

impl Predecessor {
    /// Gets the listening sockets of the host with this control socket. Blocks for a few seconds at
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
                what: "the list of listening sockets does not match the sockets received".into(),
            }),
        }
    }

    /// Its control socket.
    pub fn path(&self) -> &Path {
        self.line.path()
    }

    /// The URIs of its listening sockets.
    pub fn uris(&self) -> impl Iterator<Item = &str> {
        self.sockets.iter().map(|(uri, _)| uri.as_str())
    }

    /// Its listening sockets with their URIs. Only the first call returns them.
    pub fn take_sockets(&mut self) -> Vec<(String, OwnedFd)> {
        std::mem::take(&mut self.sockets)
    }

    /// Makes it retire and replaces its control socket. Blocks for a few seconds at most.
    /// Must be called in a tokio runtime.
    ///
    /// After an error the predecessor keeps serving, and this process must not serve. `None` if
    /// only the control socket could not be replaced, which is logged.
    pub fn retire(self) -> Result<Option<ControlSocket>, TakeoverError> {
        let prepared = PreparedSocket::new(self.path())?;
        match self.line.ask(&Request::Retire, &[], CONTROL_REPLY_TIME) {
            Ok((Reply::Retiring { pid }, _)) => {
                tracing::info!("took over from process {pid}, which now drains");
            }
            Err(error @ ControlError::Declined { .. }) => return Err(error.into()),
            // It may have retired, or ended by itself: then nobody serves if this process does not.
            other => tracing::warn!(
                "took over, but cannot tell whether the previous host drains: {}",
                other
                    .err()
                    .map_or("unexpected answer".into(), |error| error.to_string())
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

/// Why a takeover failed.
#[derive(Debug, thiserror::Error)]
pub enum TakeoverError {
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    Socket(#[from] SocketError),
}
