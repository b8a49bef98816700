//! The close code of a WebSocket (RFC 6455, section 7.4), by how its connection ended.

use super::{CloseReason, ConnectionError};
use crate::handle::Lost;
use crate::handler::SessionError;
use framing::FramingError;
use websocket::FrameError;

/// Nothing went wrong.
pub const NORMAL: u16 = 1000;
/// The server stops, or has waited for too long.
const GOING_AWAY: u16 = 1001;
/// The client broke the protocol.
pub const PROTOCOL: u16 = 1002;
/// Text that is not UTF-8.
const NOT_TEXT: u16 = 1007;
/// The server refuses the client.
const REFUSED: u16 = 1008;
/// A message is too long.
const TOO_LONG: u16 = 1009;
/// The server failed.
pub const FAILED: u16 = 1011;

/// The code for a connection that ended like this; `None` if it just ends.
pub fn of(ended: &Result<CloseReason, ConnectionError>, is_stopping: bool) -> Option<u16> {
    let error = match ended {
        Ok(CloseReason::Reset) => return None,
        Ok(_) if is_stopping => return Some(GOING_AWAY),
        // A client that was cut off may still read.
        Ok(CloseReason::Finished | CloseReason::CutOff) => return Some(NORMAL),
        Err(error) => error,
    };
    match error {
        ConnectionError::Framing(FramingError::TooLong { .. }) => Some(TOO_LONG),
        ConnectionError::Framing(FramingError::WebSocket(FrameError::NotText)) => Some(NOT_TEXT),
        ConnectionError::Framing(_) => Some(PROTOCOL),
        ConnectionError::Session(SessionError::Protocol(_)) => Some(PROTOCOL),
        ConnectionError::Session(SessionError::Refused(_)) => Some(REFUSED),
        ConnectionError::Session(SessionError::Internal(_) | SessionError::Call(_)) => Some(FAILED),
        ConnectionError::Lost(Lost::SwappedOut) | ConnectionError::Idle(_) => Some(GOING_AWAY),
        ConnectionError::Lost(Lost::SlowReader { .. }) => Some(REFUSED),
        ConnectionError::Lost(_) => Some(FAILED),
        ConnectionError::Io(_)
        | ConnectionError::Silent
        | ConnectionError::StartTls(_)
        | ConnectionError::Cut => None,
    }
}
