//! Answers `Hello, client!`, and prints what it received.
//!
//! What it prints becomes a line of the connection in the host's log. The reply ends as the message
//! does: a message with a line ending was typed at a terminal and gets a line; a program that sends
//! `Hello, server!` gets `Hello, client!`, and no byte more.

wit_bindgen::generate!({ path: "../../wit", world: "responder" });

struct Hello;

impl Guest for Hello {
    fn respond(message: Vec<u8>) -> Vec<u8> {
        println!("Received: {}", one_line(&message));
        [b"Hello, client!", line_ending(&message)].concat()
    }
}

export!(Hello);

/// The line ending of the message, if it has one: telnet sends CR LF, nc sends LF.
fn line_ending(message: &[u8]) -> &[u8] {
    let text = message.strip_suffix(b"\n").unwrap_or(message);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    &message[text.len()..]
}

/// The message as text on one line: its own line ending would leave an empty line behind.
fn one_line(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    text.trim_end_matches(['\r', '\n'])
        .replace(['\r', '\n'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_is_greeted() {
        assert_eq!(
            Hello::respond(b"Hello, server!".to_vec()),
            b"Hello, client!"
        );
    }

    #[test]
    fn the_reply_ends_as_the_message_does() {
        assert_eq!(Hello::respond(b"Hi\r\n".to_vec()), b"Hello, client!\r\n");
        assert_eq!(Hello::respond(b"\n".to_vec()), b"Hello, client!\n");
        assert_eq!(Hello::respond(b"one\ntwo".to_vec()), b"Hello, client!");
        assert_eq!(Hello::respond(Vec::new()), b"Hello, client!");
    }

    #[test]
    fn the_line_ending_is_not_printed() {
        assert_eq!(one_line(b"Hello, server!\r\n"), "Hello, server!");
        assert_eq!(one_line(b"Hello, server!"), "Hello, server!");
        assert_eq!(one_line(b"\n"), "");
    }

    #[test]
    fn several_lines_print_as_one() {
        assert_eq!(one_line(b"one\ntwo\n"), "one two");
    }

    #[test]
    fn bytes_that_are_no_text_are_marked() {
        assert_eq!(one_line(b"caf\xe9"), "caf\u{fffd}");
    }
}
