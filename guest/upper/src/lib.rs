//! Answers in capital letters.

wit_bindgen::generate!({ path: "../../wit", world: "responder" });

struct Upper;

impl Guest for Upper {
    /// Changes ASCII letters only. A message is whatever one read returned, so it may end in the
    /// middle of a character: all other bytes stay unchanged.
    fn respond(mut message: Vec<u8>) -> Vec<u8> {
        message.make_ascii_uppercase();
        message
    }
}

export!(Upper);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_become_capitals() {
        assert_eq!(
            Upper::respond(b"Hello, server 1!\n".to_vec()),
            b"HELLO, SERVER 1!\n"
        );
    }

    #[test]
    fn what_is_not_ascii_passes_through() {
        assert_eq!(
            Upper::respond(b"caf\xc3\xa9 \x00\xff".to_vec()),
            b"CAF\xc3\xa9 \x00\xff"
        );
    }
}
