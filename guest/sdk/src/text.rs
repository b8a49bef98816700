//! Messages that are text.

use crate::{Failure, Result};

/// The message as text. A message that is not UTF-8 is a [`protocol`](Failure::protocol) failure,
/// so a session that takes text begins with this:
///
/// ```
/// # use echo_host_guest::{Result, text};
/// fn on_message(message: Vec<u8>) -> Result {
///     let line = text(message)?;
///     # assert_eq!(line, "hello");
///     Ok(())
/// }
/// # on_message(b"hello".to_vec()).unwrap();
/// ```
///
/// What the session sent before is written, then the connection closes; over WebSocket, the client
/// is told that it broke the protocol. A responder has no failures, and replies instead:
/// `let Ok(line) = text(message) else { return "error: not UTF-8\n".to_owned() };`
pub fn text(message: Vec<u8>) -> Result<String> {
    String::from_utf8(message).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::protocol(format!("the message is not UTF-8, from byte {at} on"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_utf8_is_text() {
        assert_eq!(text("naïve €5".into()).unwrap(), "naïve €5");
        let failure = text(b"caf\xe9".to_vec()).unwrap_err();
        assert_eq!(failure.kind, "protocol");
        assert_eq!(failure.reason, "the message is not UTF-8, from byte 3 on");
    }
}
