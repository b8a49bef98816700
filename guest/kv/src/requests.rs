//! Cuts requests out of a stream of bytes that arrives in pieces of any size: Redis's protocol,
//! version 2.

use crate::inline;
use crate::integer::parse_integer;
use std::borrow::Cow;

/// Longest single argument, in bytes.
pub const MAX_ARGUMENT: usize = 512 << 10;
/// Maximum number of arguments of a request.
const MAX_ARGUMENTS: usize = 64 << 10;
/// Longest request, in bytes, including the overhead of each argument.
const MAX_REQUEST: usize = 1 << 20;
const ARGUMENT_COST: usize = 32;
/// Longest line: an inline request, or the header of an argument.
const MAX_LINE: usize = 64 << 10;

/// The name of a command and its arguments.
pub type Request = Vec<Vec<u8>>;

/// A protocol error, in Redis's words. The rest of the stream cannot be parsed.
#[derive(Debug, PartialEq)]
pub struct ProtocolError(pub Cow<'static, str>);

fn wrong<T>(what: &'static str) -> Result<T, ProtocolError> {
    Err(ProtocolError(what.into()))
}

/// The stream of one connection.
#[derive(Default)]
pub struct Requests {
    buffer: Vec<u8>,
    /// How much of the buffer has been consumed.
    at: usize,
    unfinished: Option<Unfinished>,
}

/// A request with missing arguments.
struct Unfinished {
    arguments: Request,
    missing: usize,
    size: usize,
    /// The length of the next argument, if known.
    length: Option<usize>,
}

impl Requests {
    pub fn push(&mut self, bytes: Vec<u8>) {
        if self.at == self.buffer.len() {
            self.buffer = bytes;
        } else {
            self.buffer.drain(..self.at);
            self.buffer.extend(bytes);
        }
        self.at = 0;
    }

    /// Number of bytes stored for unfinished or unanswered requests.
    pub fn held(&self) -> usize {
        let unfinished = self.unfinished.as_ref();
        // A length that is only announced takes no room.
        let collected = unfinished.map_or(0, |request| request.size - request.length.unwrap_or(0));
        self.buffer.capacity() + collected
    }

    /// The next request, if it is complete.
    pub fn next(&mut self) -> Result<Option<Request>, ProtocolError> {
        loop {
            if let Some(mut request) = self.unfinished.take() {
                let complete = self.collect(&mut request)?;
                if complete {
                    return Ok(Some(request.arguments));
                }
                self.unfinished = Some(request);
                return Ok(None);
            }
            match self.buffer.get(self.at) {
                None => {
                    // Idle clients hold no buffer.
                    (self.buffer, self.at) = (Vec::new(), 0);
                    return Ok(None);
                }
                Some(b'*') => {
                    let Some(line) = self.line("too big mbulk count string")? else {
                        return Ok(None);
                    };
                    self.unfinished = begin(line)?;
                }
                Some(_) => {
                    let Some(line) = self.line("too big inline request")? else {
                        return Ok(None);
                    };
                    let Some(arguments) = inline::split(line) else {
                        return wrong("unbalanced quotes in request");
                    };
                    if !arguments.is_empty() {
                        return Ok(Some(arguments));
                    }
                }
            }
        }
    }

    /// Takes the arguments that have arrived. Returns true if none is missing.
    fn collect(&mut self, request: &mut Unfinished) -> Result<bool, ProtocolError> {
        while request.missing > 0 {
            let length = match request.length {
                Some(length) => length,
                None => {
                    let Some(line) = self.line("too big bulk count string")? else {
                        return Ok(false);
                    };
                    let length = argument_length(line)?;
                    request.size += length + ARGUMENT_COST;
                    if request.size > MAX_REQUEST {
                        return wrong("invalid bulk length");
                    }
                    *request.length.insert(length)
                }
            };
            // Two more bytes for CR LF, which Redis does not check either.
            let Some(argument) = self.buffer[self.at..].get(..length + 2) else {
                return Ok(false);
            };
            request.arguments.push(argument[..length].to_vec());
            self.at += length + 2;
            request.missing -= 1;
            request.length = None;
        }
        Ok(true)
    }

    /// The next line without its ending, if it is complete.
    fn line(&mut self, too_long: &'static str) -> Result<Option<&[u8]>, ProtocolError> {
        let rest = &self.buffer[self.at..];
        let Some(end) = rest.iter().position(|&byte| byte == b'\n') else {
            if rest.len() > MAX_LINE {
                return wrong(too_long);
            }
            return Ok(None);
        };
        self.at += end + 1;
        let line = &rest[..end];
        Ok(Some(line.strip_suffix(b"\r").unwrap_or(line)))
    }
}

/// Reads the header of a request, such as `*3`. If it announces no arguments, there is no request.
fn begin(line: &[u8]) -> Result<Option<Unfinished>, ProtocolError> {
    let missing = match parse_integer(&line[1..]) {
        Some(..=0) => return Ok(None),
        Some(count) => usize::try_from(count).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    if missing > MAX_ARGUMENTS {
        return wrong("invalid multibulk length");
    }
    Ok(Some(Unfinished {
        // Allocate nothing for a count that is only announced.
        arguments: Vec::new(),
        missing,
        size: 0,
        length: None,
    }))
}

/// Reads the header of an argument, such as `$5`.
fn argument_length(line: &[u8]) -> Result<usize, ProtocolError> {
    match line.split_first() {
        Some((b'$', digits)) => {
            let length = parse_integer(digits).and_then(|length| usize::try_from(length).ok());
            match length {
                Some(length) if length <= MAX_ARGUMENT => Ok(length),
                _ => wrong("invalid bulk length"),
            }
        }
        other => {
            let got = other.map_or(' ', |(&byte, _)| char::from(byte));
            let what = format!("expected '$', got '{}'", got.escape_default());
            Err(ProtocolError(what.into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(request: &Request) -> String {
        let words: Vec<_> = request
            .iter()
            .map(|word| word.escape_ascii().to_string())
            .collect();
        words.join("|")
    }

    /// The requests in these pieces of a stream, with `!` before an error.
    fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
        let mut requests = Requests::default();
        let mut found = Vec::new();
        for piece in pieces {
            requests.push(piece.to_vec());
            loop {
                match requests.next() {
                    Ok(Some(request)) => found.push(words(&request)),
                    Ok(None) => break,
                    Err(error) => {
                        found.push(format!("!{}", error.0));
                        return found;
                    }
                }
            }
        }
        found
    }

    const STREAM: &[u8] = b"*2\r\n$4\r\nECHO\r\n$4\r\na\r\nb\r\nPING\r\n\r\n*0\r\n*-1\r\n\
        *1\r\n$0\r\n\r\nset k 'a b'\n*3\r\n$1\r\nx\r\n$2\r\n\r\n\r\n$3\r\n*1\r\r\n*x\r\n";

    #[test]
    fn requests_are_the_same_however_they_are_cut() {
        let expected = [
            "ECHO|a\\r\\nb",
            "PING",
            "",
            "set|k|a b",
            "x|\\r\\n|*1\\r",
            "!invalid multibulk length",
        ];
        assert_eq!(read([STREAM]), expected);
        for cut in 0..=STREAM.len() {
            let (first, second) = STREAM.split_at(cut);
            assert_eq!(read([first, second]), expected, "cut at {cut}");
        }
        assert_eq!(read(STREAM.chunks(1)), expected);
    }

    #[test]
    fn what_is_wrong_is_said_as_redis_says_it() {
        for (stream, error) in [
            (&b"*a\r\n"[..], "!invalid multibulk length"),
            (b"*99999999\r\n", "!invalid multibulk length"),
            (b"*1\r\n+4\r\n", "!expected '$', got '+'"),
            (b"*1\r\n\r\n", "!expected '$', got ' '"),
            (b"*1\r\n$x\r\n", "!invalid bulk length"),
            (b"*1\r\n$-1\r\n", "!invalid bulk length"),
            (b"*1\r\n$524289\r\n", "!invalid bulk length"),
            (b"get 'x\r\n", "!unbalanced quotes in request"),
        ] {
            assert_eq!(read([stream]), [error], "{}", stream.escape_ascii());
        }
        let long = vec![b'1'; MAX_LINE + 1];
        assert_eq!(read([&long[..]]), ["!too big inline request"]);
        assert_eq!(read([b"*", &long[..]]), ["!too big mbulk count string"]);
        assert_eq!(
            read([b"*1\r\n$", &long[..]]),
            ["!too big bulk count string"]
        );
    }

    #[test]
    fn a_request_of_many_large_arguments_is_refused_in_time() {
        let argument = [b"$524288\r\n", &vec![b'x'; MAX_ARGUMENT][..], b"\r\n"].concat();
        let stream = [b"*3\r\n", &argument[..], &argument[..]];
        assert_eq!(read(stream), ["!invalid bulk length"]);
    }
}
