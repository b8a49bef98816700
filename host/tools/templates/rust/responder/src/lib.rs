//! Answers each message with the message itself.

echo_host_guest::responder!(respond);

/// Computes the reply to one message, which is whatever one read returned.
fn respond(message: Vec<u8>) -> Vec<u8> {
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_come_back_unchanged() {
        for message in [&b""[..], b"hello\r\n", b"\x00\xff\x80"] {
            assert_eq!(respond(message.to_vec()), message);
        }
    }
}
