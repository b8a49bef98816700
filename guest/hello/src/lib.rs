//! Greets every client, and prints what it received.
//!
//! What it prints becomes a line of the connection in the host's log.

wit_bindgen::generate!({ path: "../../wit", world: "responder" });

struct Hello;

impl Guest for Hello {
    fn respond(message: Vec<u8>) -> Vec<u8> {
        println!("Received: {}", one_line(&message));
        b"Hello, client!\n".to_vec()
    }
}

export!(Hello);

/// The message as text on a single line: its own line ending would leave an empty one behind.
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
            b"Hello, client!\n"
        );
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
