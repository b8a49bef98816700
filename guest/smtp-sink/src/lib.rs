//! Accepts mail, logs it, and discards it: for testing programs that send mail.
//!
//! It shows a line protocol in which the server speaks first, and the meaning of a line depends on
//! the lines before it. This file connects the dialogue to the host.

mod command;
mod dialogue;
mod lines;
mod message;

wit_bindgen::generate!({ path: "../../wit", world: "securing-conversation-handler" });

use dialogue::{Dialogue, Next};
use echo_host::handler::connections::Connection;
use echo_host::handler::types::Failure;
use exports::echo_host::handler::{conversation, manifest, securing};
use lines::{Lines, TooLong};
use std::cell::RefCell;

struct SmtpSink;

impl manifest::Guest for SmtpSink {
    fn describe() -> manifest::About {
        manifest::About {
            name: "smtp-sink".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            // The framing `lines` would accept a lone LF, and would deliver an unfinished last
            // line.
            framing: "chunks".to_owned(),
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
        let offers_tls = connection.info("start-tls").is_some();
        Ok(conversation::Session::new(Session {
            connection,
            dialogue: RefCell::new(Dialogue::new(offers_tls)),
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
                Next::StartTls(reply) => {
                    if !lines.is_empty() {
                        // Anyone on the way may have added it: it must not count as sent under TLS.
                        return Err(Failure {
                            kind: "protocol".to_owned(),
                            reason: "commands in clear after STARTTLS".to_owned(),
                        });
                    }
                    self.connection.send(reply.as_bytes());
                    self.connection.start_tls();
                    return Ok(());
                }
                Next::Close(reply) => {
                    self.connection.send(reply.as_bytes());
                    self.connection.close();
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

    /// A client sends a mail again that was not accepted yet.
    fn save(&self) -> Option<Vec<u8>> {
        None
    }
}

impl securing::Guest for SmtpSink {
    /// What the client has said in clear is forgotten (RFC 3207, section 4.2).
    fn on_secured(session: conversation::SessionBorrow<'_>) -> Result<(), Failure> {
        let session: &Session = session.get();
        session.dialogue.replace(Dialogue::new(false));
        Ok(())
    }
}

// Only for wasm: native linkers, which the unit tests use, do not accept the exports' names.
#[cfg(target_family = "wasm")]
export!(SmtpSink);

#[cfg(test)]
mod tests {
    use super::*;
    use manifest::Guest as _;

    #[test]
    fn it_cuts_lines_itself() {
        assert_eq!(SmtpSink::describe().framing, "chunks");
    }
}
