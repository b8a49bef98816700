//! Decodes a chunked body (RFC 9112, section 7.1) from pieces of any size.

use crate::response::Status;

/// Longest chunk size line, and longest trailer, in bytes.
const MAX_LINE: usize = 1024;
/// Maximum number of trailers, which are read and ignored.
const MAX_TRAILERS: usize = 32;

/// What the decoder expects next.
#[derive(Clone, Copy, Debug)]
pub enum Chunks {
    Size,
    Data(usize),
    /// The line ending after a chunk's data.
    DataEnd,
    /// The number of trailers so far.
    Trailers(usize),
}

impl Chunks {
    /// Moves data from the stream to the body, up to this length. Returns true at the end of the
    /// body.
    pub fn read(
        &mut self,
        stream: &mut &[u8],
        body: &mut Vec<u8>,
        max: usize,
    ) -> Result<bool, Status> {
        loop {
            if let Chunks::Data(left) = self {
                let (data, rest) = stream.split_at((*left).min(stream.len()));
                body.extend_from_slice(data);
                *stream = rest;
                *left -= data.len();
                if *left > 0 {
                    return Ok(false);
                }
                *self = Chunks::DataEnd;
            }
            let Some(line) = line(stream)? else {
                return Ok(false);
            };
            *self = match *self {
                Chunks::Trailers(_) if line.is_empty() => return Ok(true),
                Chunks::Trailers(MAX_TRAILERS) => return Err(Status::FIELDS_TOO_LARGE),
                Chunks::Trailers(count) => Chunks::Trailers(count + 1),
                Chunks::DataEnd if line.is_empty() => Chunks::Size,
                Chunks::DataEnd | Chunks::Data(_) => return Err(Status::BAD_REQUEST),
                Chunks::Size => match size(line)? {
                    0 => Chunks::Trailers(0),
                    size if size > max - body.len() => return Err(Status::CONTENT_TOO_LARGE),
                    size => Chunks::Data(size),
                },
            };
        }
    }
}

/// The next line, without its ending. Only CR LF ends a line here.
fn line<'a>(stream: &mut &'a [u8]) -> Result<Option<&'a [u8]>, Status> {
    let Some(end) = stream.iter().take(MAX_LINE).position(|&byte| byte == b'\n') else {
        return match stream.len() {
            MAX_LINE.. => Err(Status::BAD_REQUEST),
            _ => Ok(None),
        };
    };
    let (line, rest) = stream.split_at(end);
    *stream = &rest[1..];
    line.strip_suffix(b"\r")
        .map(Some)
        .ok_or(Status::BAD_REQUEST)
}

/// Reads a chunk's size. Ignores chunk extensions after a semicolon.
fn size(line: &[u8]) -> Result<usize, Status> {
    let digits = line.split(|&byte| byte == b';').next().unwrap_or_default();
    let digits = digits.trim_ascii_end();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(Status::BAD_REQUEST);
    }
    let number = str::from_utf8(digits).map(|digits| usize::from_str_radix(digits, 16));
    // A number that does not fit is too large.
    Ok(number.ok().and_then(Result::ok).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the body and the rest of the stream.
    fn read(stream: &[u8]) -> Result<Option<(String, usize)>, Status> {
        let mut rest = stream;
        let mut body = Vec::new();
        let ended = Chunks::Size.read(&mut rest, &mut body, 100)?;
        Ok(ended.then(|| (body.escape_ascii().to_string(), rest.len())))
    }

    #[test]
    fn chunks_make_a_body() {
        let stream = b"5\r\nhello\r\n00A ; x=y\r\n, client!\n\r\n0\r\nTrailer: x\r\n\r\nrest";
        assert_eq!(read(stream), Ok(Some((r"hello, client!\n".to_owned(), 4))));
        for cut in 0..stream.len() - 4 {
            assert_eq!(read(&stream[..cut]), Ok(None), "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        for (stream, status) in [
            ("x\r\n", Status::BAD_REQUEST),
            ("\r\n", Status::BAD_REQUEST),
            ("+5\r\n", Status::BAD_REQUEST),
            ("5\nhello", Status::BAD_REQUEST),
            ("5\r\nhello!\r\n", Status::BAD_REQUEST),
            ("65\r\n", Status::CONTENT_TOO_LARGE),
            ("ffffffffffffffffffff\r\n", Status::CONTENT_TOO_LARGE),
            (&"0".repeat(MAX_LINE), Status::BAD_REQUEST),
            (
                &("0\r\n".to_owned() + &"a: b\r\n".repeat(40)),
                Status::FIELDS_TOO_LARGE,
            ),
        ] {
            assert_eq!(read(stream.as_bytes()), Err(status), "{stream:?}");
        }
    }
}
