//! Forwards each line to another server: connects to it, sends the line, and answers with the line
//! that comes back. The variable `UPSTREAM` names the server, as `HOST:PORT`; the operator grants
//! both:
//! `echo-host serve relay.wasm --env UPSTREAM=db.internal:7777 --allow-connect db.internal:7777`.
//!
//! A call waits for the other server as long as `--call-timeout` allows.

use echo_host_guest::outgoing;
use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};

echo_host_guest::responder!(respond, framing: "lines");

/// The longest answer, in bytes.
const MAX_ANSWER_BYTES: u64 = 64 << 10;

fn respond(line: Vec<u8>) -> Vec<u8> {
    let upstream = env::var("UPSTREAM").unwrap_or_default();
    ask(&upstream, line)
        .unwrap_or_else(|error| format!("error: {upstream}: {error}\n").into_bytes())
}

/// Sends a line and returns the line that comes back, with its ending.
fn ask(upstream: &str, mut line: Vec<u8>) -> io::Result<Vec<u8>> {
    line.push(b'\n');
    let mut stream = outgoing::connect(upstream)?;
    stream.write_all(&line)?;
    let mut answer = Vec::new();
    let mut input = BufReader::new(stream).take(MAX_ANSWER_BYTES);
    input.read_until(b'\n', &mut answer)?;
    if answer.ends_with(b"\n") {
        return Ok(answer);
    }
    Err(io::Error::other(if input.limit() == 0 {
        format!("the answer exceeds {MAX_ANSWER_BYTES} bytes")
    } else {
        "the server closed the connection within a line".to_owned()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use echo_host_guest::testing::outgoing::serve;

    fn answer_of(server: &str, line: &str) -> String {
        let answer = ask(server, line.into()).map_err(|error| error.to_string());
        answer.map_or_else(|error| error, |answer| String::from_utf8(answer).unwrap())
    }

    #[test]
    fn a_line_is_answered_by_the_server() {
        serve("db:7777", |line: &[u8]| [b"you say: ", line].concat());
        assert_eq!(answer_of("db:7777", "hello"), "you say: hello\n");
    }

    #[test]
    fn what_goes_wrong_is_told() {
        serve("silent:1", |_: &[u8]| Vec::new());
        serve("endless:1", |_: &[u8]| vec![b'x'; 1000]);
        let unended = "the server closed the connection within a line";
        assert_eq!(answer_of("silent:1", "hello"), unended);
        assert_eq!(
            answer_of("endless:1", "hello"),
            "the answer exceeds 65536 bytes"
        );
        assert_eq!(answer_of("gone:1", "hello"), "connection refused");
        let told = String::from_utf8(respond(b"hello".to_vec())).unwrap();
        assert_eq!(told, "error: : expected HOST:PORT, not ``\n");
    }
}
