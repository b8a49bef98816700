//! The smallest handler: answers each message with the message itself.

wit_bindgen::generate!({ path: "../../wit", world: "responder" });

struct Echo;

impl Guest for Echo {
    fn respond(message: Vec<u8>) -> Vec<u8> {
        message
    }
}

export!(Echo);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_come_back_unchanged() {
        for message in [&b""[..], b"hello\r\n", b"\x00\xff\x80"] {
            assert_eq!(Echo::respond(message.to_vec()), message);
        }
    }
}
