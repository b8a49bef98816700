//! Answers each line with the line reversed.
//!
//! It declares its framing, so it always receives whole lines, however TCP splits them.

wit_bindgen::generate!({ path: "../../wit", world: "framed-responder" });

use exports::echo_host::handler::manifest;

struct Reverse;

impl manifest::Guest for Reverse {
    fn describe() -> manifest::About {
        manifest::About {
            name: "reverse".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            framing: "lines".to_owned(),
            max_message_bytes: 65_536,
        }
    }
}

impl Guest for Reverse {
    fn respond(line: Vec<u8>) -> Vec<u8> {
        let mut reply = reversed(&line);
        reply.push(b'\n');
        reply
    }
}

// Only for wasm: native linkers, which the unit tests use, do not accept the exports' names.
#[cfg(target_family = "wasm")]
export!(Reverse);

/// Reverses by characters, so that text stays text. Reverses invalid UTF-8 by bytes.
fn reversed(line: &[u8]) -> Vec<u8> {
    let Ok(text) = str::from_utf8(line) else {
        return line.iter().rev().copied().collect();
    };
    // Room for the line ending too, so that the reply is never reallocated.
    let mut reply = String::with_capacity(line.len() + 1);
    reply.extend(text.chars().rev());
    reply.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifest::Guest as _;
    use proptest::prelude::*;

    #[test]
    fn a_reply_is_the_line_reversed_and_ended() {
        assert_eq!(Reverse::respond(b"hello".to_vec()), b"olleh\n");
        assert_eq!(Reverse::respond(Vec::new()), b"\n");
    }

    #[test]
    fn characters_stay_whole() {
        assert_eq!(reversed("naïve €5".as_bytes()), "5€ evïan".as_bytes());
    }

    #[test]
    fn what_is_not_text_is_reversed_by_bytes() {
        assert_eq!(reversed(&[0xff, 0x00, 0x80]), [0x80, 0x00, 0xff]);
    }

    #[test]
    fn it_asks_for_lines() {
        assert_eq!(Reverse::describe().framing, "lines");
    }

    proptest! {
        #[test]
        fn any_line_reversed_twice_is_itself(line in any::<String>()) {
            prop_assert_eq!(reversed(&reversed(line.as_bytes())), line.as_bytes());
        }

        #[test]
        fn any_bytes_keep_their_number(line in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(reversed(&line).len(), line.len());
        }
    }
}
