//! Accepts mail, logs what came, and throws it away: for testing programs that send mail.
//!
//! It shows a protocol of lines in which the server speaks first and the meaning of a line depends on the
//! lines before it. This file connects the dialogue with the host.

mod command;
mod dialogue;
mod lines;
mod message;

wit_bindgen::generate!({ path: "../../wit", world: "conversation-handler" });

use dialogue::{Dialogue, Next};
use echo_host::handler::connections::{CloseMode, Connection};
use echo_host::handler::types::{Failure, Framing};
use exports::echo_host::handler::{conversation, manifest};
use lines::{Lines, TooLong};
use std::cell::RefCell;

struct SmtpSink;

impl manifest::Guest for SmtpSink {
    fn describe() -> manifest::About {
        manifest::About {
            name: "smtp-sink".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            // The framing `lines` would take a lone LF for an end, and whatever comes last for a line.
            framing: Framing::Chunks,
            max_message_bytes: 65_536,
        }
    }
}

impl conversation::Guest for SmtpSink {
    type Session = Session;
}

struct Session {
    connection: Connection,
    dialogue: RefCell<Dialogue>,
    lines: RefCell<Lines>,
}

impl conversation::GuestSession for Session {
    fn open(
        connection: Connection,
        _saved: Option<Vec<u8>>,
    ) -> Result<conversation::Session, Failure> {
        connection.send(dialogue::BANNER.as_bytes());
        Ok(conversation::Session::new(Session {
            connection,
            dialogue: RefCell::default(),
            lines: RefCell::default(),
        }))
    }

    fn on_message(&self, chunk: Vec<u8>) -> Result<(), Failure> {
        let (mut dialogue, mut lines) = (self.dialogue.borrow_mut(), self.lines.borrow_mut());
        lines.add(&chunk);
        loop {
            let next = match lines.next() {
                Ok(None) => return Ok(()),
                Ok(Some(line)) => dialogue.hear(line),
                Err(TooLong) => Next::Close(dialogue::LINE_TOO_LONG.to_owned()),
            };
            match next {
                Next::Listen => {}
                Next::Reply(reply) => self.connection.send(reply.as_bytes()),
                Next::Accept(reply, summary) => {
                    // This becomes a line of the connection in the host's log.
                    println!("{summary}");
                    self.connection.send(reply.as_bytes());
                }
                Next::Close(reply) => {
                    self.connection.send(reply.as_bytes());
                    self.connection.close(CloseMode::Graceful);
                    return Ok(());
                }
            }
        }
    }

    fn on_eof(&self) -> Result<(), Failure> {
        Ok(())
    }

    fn on_writable(&self) -> Result<(), Failure> {
        Ok(())
    }

    fn on_timer(&self, _: u32) -> Result<(), Failure> {
        Ok(())
    }

    fn on_shutdown(&self) -> Result<(), Failure> {
        self.connection.send(dialogue::STOPPING.as_bytes());
        Ok(())
    }

    /// A client whose mail was not accepted yet sends it again.
    fn save(&self) -> Option<Vec<u8>> {
        None
    }
}

// Only for wasm: a native linker, which the unit tests use, has no way to spell the exports' names.
#[cfg(target_family = "wasm")]
export!(SmtpSink);

#[cfg(test)]
mod tests {
    use super::*;
    use manifest::Guest as _;

    #[test]
    fn it_cuts_lines_itself() {
        assert!(matches!(SmtpSink::describe().framing, Framing::Chunks));
    }
}
