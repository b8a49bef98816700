//! The recorded traffic of one connection. Pure.

use bytes::{Bytes, BytesMut};
use exchange::{Action, Exchange, LineEnding, MAX_FILE_BYTES, Step, is_text};

/// Bytes in a line of hexadecimal digits.
const ROW_BYTES: usize = 32;

/// Records the events of a connection in order.
#[derive(Debug, Default)]
pub struct Transcript {
    /// Empty once they are longer than a file may be.
    events: Vec<Event>,
    bytes: usize,
    /// Whether there was traffic before.
    is_joined: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Event {
    Sent(Bytes),
    Received(BytesMut),
    Finished,
    Closed,
}

impl Transcript {
    /// Of a connection that has had traffic before.
    pub fn joined() -> Self {
        Transcript {
            is_joined: true,
            ..Transcript::default()
        }
    }

    /// The name of its exchange, as that of the connection with this number.
    pub fn name(&self, number: u64) -> String {
        let rest = if self.is_joined {
            ", from the middle"
        } else {
            ""
        };
        format!("connection {number}{rest}")
    }

    /// The client sent this at once. It stays one send, because the client's cuts may matter.
    pub fn sent(&mut self, bytes: &[u8]) {
        self.add(Event::Sent(Bytes::copy_from_slice(bytes)), bytes.len());
    }

    /// The server sent this. It is compared as one stream, so its cuts do not matter.
    pub fn received(&mut self, bytes: &[u8]) {
        match self.events.last_mut() {
            Some(Event::Received(before)) => {
                before.extend_from_slice(bytes);
                self.count(bytes.len());
            }
            _ => self.add(Event::Received(bytes.into()), bytes.len()),
        }
    }

    /// The client has shut down sending.
    pub fn finished(&mut self) {
        if !self.events.contains(&Event::Finished) {
            self.add(Event::Finished, 0);
        }
    }

    /// The server has closed.
    pub fn closed(&mut self) {
        self.add(Event::Closed, 0);
    }

    /// Its length in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether nothing was sent either way.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    fn add(&mut self, event: Event, bytes: usize) {
        // Nothing counts after the end, whatever the client still sends.
        if self.events.last() != Some(&Event::Closed) {
            self.events.push(event);
            self.count(bytes);
        }
    }

    fn count(&mut self, bytes: usize) {
        self.bytes += bytes;
        if self.bytes > MAX_FILE_BYTES {
            self.events.clear();
        }
    }

    /// Its line ending, if all lines have the same.
    pub fn ending(&self) -> Option<LineEnding> {
        let texts = self.events.iter().filter_map(|event| match event {
            Event::Sent(bytes) => Some(&bytes[..]),
            Event::Received(bytes) => Some(&bytes[..]),
            Event::Finished | Event::Closed => None,
        });
        let mut lines = texts
            .filter(|text| is_text(text))
            .flat_map(|text| text.split_inclusive(|byte| *byte == b'\n'))
            .filter(|line| line.ends_with(b"\n"))
            .peekable();
        lines.peek()?;
        if lines.all(|line| line.ends_with(b"\r\n")) {
            Some(LineEnding::CrLf)
        } else {
            Some(LineEnding::Lf)
        }
    }

    /// Converts it to an exchange with this name, for a file with this ending.
    pub fn exchange(&self, name: String, ending: LineEnding) -> Exchange {
        let actions = self.events.iter().flat_map(|event| match event {
            Event::Sent(bytes) => vec![Action::Send(bytes.clone())],
            Event::Received(bytes) => received(&Bytes::copy_from_slice(bytes)),
            Event::Finished => vec![Action::Finish],
            Event::Closed => vec![Action::Closed],
        });
        Exchange {
            name,
            line: 0,
            ending,
            steps: actions.map(|action| Step { line: 0, action }).collect(),
        }
    }
}

/// The received bytes, line by line if they are text.
pub fn received(bytes: &Bytes) -> Vec<Action> {
    let pieces: Vec<&[u8]> = if is_text(bytes) {
        bytes.split_inclusive(|byte| *byte == b'\n').collect()
    } else {
        bytes.chunks(ROW_BYTES).collect()
    };
    let expect = |piece: &[u8]| Action::Expect(bytes.slice_ref(piece));
    pieces.into_iter().map(expect).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use exchange::{Exchanges, parse};

    /// The file of one transcript, without its title.
    fn written(transcript: &Transcript) -> String {
        let ending = transcript.ending().unwrap_or_default();
        let exchanges = Exchanges {
            ending,
            exchanges: vec![transcript.exchange("it".to_owned(), ending)],
            ..Exchanges::default()
        };
        let text = exchanges.to_string();
        assert_eq!(parse(text.as_bytes()).unwrap().to_string(), text);
        text.replace("== it\n", "")
    }

    #[test]
    fn a_conversation_is_written_line_by_line() {
        let mut transcript = Transcript::default();
        transcript.received(b"> ");
        transcript.sent(b"1 + 1\n");
        transcript.received(b"2\n");
        transcript.received(b"> ");
        transcript.sent(b"quit\n");
        transcript.received(b"Good");
        transcript.received(b"bye.\n");
        transcript.closed();
        transcript.sent(b"too late\n");
        assert_eq!(
            written(&transcript),
            "< > \\\n> 1 + 1\n< 2\n< > \\\n> quit\n< Goodbye.\n<eof\n"
        );
    }

    #[test]
    fn what_was_sent_together_stays_together() {
        let mut transcript = Transcript::default();
        transcript.sent(b"a\nb\n");
        transcript.received(b"A\nB\n");
        transcript.finished();
        transcript.finished();
        transcript.closed();
        assert_eq!(written(&transcript), "> a\\nb\n< A\n< B\n>eof\n<eof\n");
    }

    #[test]
    fn lines_that_all_end_with_cr_lf_are_written_without() {
        let mut transcript = Transcript::default();
        transcript.sent(b"GET / HTTP/1.1\r\n\r\n");
        transcript.received(b"HTTP/1.1 200 OK\r\n\r\n");
        assert_eq!(
            written(&transcript),
            "ending: crlf\n> GET / HTTP/1.1\\r\\n\n< HTTP/1.1 200 OK\n<\n"
        );
        transcript.received(b"<html>\n");
        assert!(written(&transcript).starts_with("> GET / HTTP/1.1\\r\\n\\r\n"));
    }

    #[test]
    fn binary_bytes_are_written_in_rows() {
        let mut transcript = Transcript::default();
        transcript.sent(&[0, 1, 255]);
        transcript.received(&[0; 40]);
        let written = written(&transcript);
        let lines: Vec<_> = written.lines().collect();
        assert_eq!(lines[0], ">hex 00 01 ff");
        assert_eq!((lines.len(), lines[2].len()), (3, 4 + 8 * 3));
    }
}
