//! Accepts mail, logs it, and discards it: for testing programs that send mail.
//!
//! It shows a line protocol in which the server speaks first, and the meaning of a line depends on
//! the lines before it. This file connects the dialogue to the host.

mod command;
mod dialogue;
mod lines;
mod message;

use dialogue::{Dialogue, Next};
use echo_host_guest::{Connection, Failure, Result, Session};
use lines::{Lines, TooLong};

echo_host_guest::conversation!(
    Sink,
    name: "smtp-sink",
    // The framing `lines` would accept a lone LF, and would deliver an unfinished last line.
    framing: "chunks",
    max_message_bytes: 65_536,
);

struct Sink {
    connection: Connection,
    dialogue: Dialogue,
    lines: Lines,
}

/// It saves nothing: a client sends a mail again that was not accepted yet.
impl Session for Sink {
    fn open(connection: Connection, _saved: Option<Vec<u8>>) -> Result<Self> {
        connection.send(dialogue::BANNER);
        let offers_tls = connection.info("start-tls").is_some();
        Ok(Sink {
            connection,
            dialogue: Dialogue::new(offers_tls),
            lines: Lines::default(),
        })
    }

    fn on_message(&mut self, chunk: Vec<u8>) -> Result {
        self.lines.add(&chunk);
        loop {
            let next = match self.lines.next() {
                Ok(None) => return Ok(()),
                Ok(Some(line)) => self.dialogue.hear(line),
                Err(TooLong) => Next::Close(dialogue::LINE_TOO_LONG.to_owned()),
            };
            match next {
                Next::Listen => {}
                Next::Reply(reply) => self.connection.send(reply),
                Next::Accept(reply, summary) => {
                    // This becomes a line of the connection in the host's log.
                    println!("{summary}");
                    self.connection.send(reply);
                }
                Next::StartTls(reply) => {
                    if !self.lines.is_empty() {
                        // Anyone on the way may have added it: it must not count as sent under TLS.
                        return Err(Failure::protocol("commands in clear after STARTTLS"));
                    }
                    self.connection.send(reply);
                    self.connection.start_tls();
                    return Ok(());
                }
                Next::Close(reply) => {
                    self.connection.send(reply);
                    self.connection.close();
                    return Ok(());
                }
            }
        }
    }

    /// What the client has said in clear is forgotten (RFC 3207, section 4.2).
    fn on_secured(&mut self) -> Result {
        self.dialogue = Dialogue::new(false);
        Ok(())
    }

    fn on_shutdown(&mut self) -> Result {
        self.connection.send(dialogue::STOPPING);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use echo_host_guest::testing::{Client, CloseMode};

    #[test]
    fn a_client_is_greeted_and_answered() {
        let mut client = Client::<Sink>::connect().unwrap();
        assert_eq!(client.received(), dialogue::BANNER);
        client.message("NOO").unwrap();
        assert_eq!(client.received(), "");
        client.message("P\r\nQUIT\r\n").unwrap();
        let received = client.received().text();
        assert!(received.starts_with("250 "), "{received:?}");
        assert_eq!(client.closed(), Some(CloseMode::Graceful));
    }

    #[test]
    fn commands_in_clear_after_starttls_are_refused() {
        use echo_host_guest::PeerInfo;
        let peer = PeerInfo {
            transport: "tcp".to_owned(),
            peer: "192.0.2.1:49152".to_owned(),
            local: "127.0.0.1:25".to_owned(),
            listener: "tcp://127.0.0.1:25".to_owned(),
        };
        let offered = [("start-tls", "offered")];
        let mut client = Client::<Sink>::connect_as(peer.clone(), &offered).unwrap();
        client.message("EHLO me\r\nSTARTTLS\r\n").unwrap();
        client.secure().unwrap();
        let mut client = Client::<Sink>::connect_as(peer, &offered).unwrap();
        let failure = client
            .message("EHLO me\r\nSTARTTLS\r\nNOOP\r\n")
            .unwrap_err();
        assert_eq!(failure.kind, "protocol");
    }
}
