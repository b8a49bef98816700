//! Greets clients and numbers their lines, also across versions of the handler.

use echo_host_guest::{Connection, Failure, Result, Session, text};

echo_host_guest::conversation!(Counter, framing: "lines", max_message_bytes: 65_536);

/// The state of one connection.
struct Counter {
    connection: Connection,
    lines: u64,
}

impl Session for Counter {
    fn open(connection: Connection, saved: Option<Vec<u8>>) -> Result<Self> {
        let lines = match saved {
            // Another version has served this connection: continue its count.
            Some(saved) => resume(&saved).ok_or(Failure::internal("the saved state is not a count"))?,
            None => {
                connection.send_line("hello");
                0
            }
        };
        Ok(Counter { connection, lines })
    }

    fn on_message(&mut self, line: Vec<u8>) -> Result {
        if line == b"quit" {
            self.say_goodbye();
            self.connection.close();
            return Ok(());
        }
        self.lines += 1;
        writeln!(self.connection, "{} {}", self.lines, text(line)?);
        Ok(())
    }

    fn on_shutdown(&mut self) -> Result {
        self.say_goodbye();
        Ok(())
    }

    fn save(&mut self) -> Option<Vec<u8>> {
        Some(self.lines.to_string().into())
    }
}

impl Counter {
    fn say_goodbye(&self) {
        writeln!(self.connection, "goodbye after {} lines", self.lines);
    }
}

fn resume(saved: &[u8]) -> Option<u64> {
    str::from_utf8(saved).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use echo_host_guest::testing::{Client, CloseMode};

    #[test]
    fn lines_are_counted() {
        let mut client = Client::<Counter>::connect().unwrap();
        assert_eq!(client.received(), "hello\n");
        client.message("one").unwrap();
        client.message("two").unwrap();
        assert_eq!(client.received(), "1 one\n2 two\n");
        client.message("quit").unwrap();
        assert_eq!(client.received(), "goodbye after 2 lines\n");
        assert_eq!(client.closed(), Some(CloseMode::Graceful));
    }

    #[test]
    fn a_line_that_is_not_text_ends_the_session() {
        let mut client = Client::<Counter>::connect().unwrap();
        let failure = client.message(*b"\xff").unwrap_err();
        assert_eq!(failure.kind, "protocol");
    }

    #[test]
    fn the_next_version_goes_on_counting() {
        let mut client = Client::<Counter>::connect().unwrap();
        client.message("one").unwrap();
        let mut next = Client::<Counter>::resume(client.save().unwrap()).unwrap();
        next.message("two").unwrap();
        next.shutdown().unwrap();
        assert_eq!(next.received(), "2 two\ngoodbye after 2 lines\n");
        assert!(Client::<Counter>::resume("another's").is_err());
    }
}
