//! Reads PROXY headers, versions 1 and 2 (HAProxy's proxy-protocol.txt), and not a byte more.

mod header;

#[cfg(any(test, fuzzing))]
pub use header::parse;
pub use header::{Proxied, Speaker};

use connection::limits::MAX_PROXY_HEADER_BYTES;
use header::{FIXED_PART_2, LONGEST_1, SHORTEST, SIGNATURE_1, SIGNATURE_2};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::TcpStream;

/// Why a header is refused.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    #[error("the connection does not start with one")]
    Missing,
    #[error("longer than {MAX_PROXY_HEADER_BYTES} bytes")]
    TooLong,
    #[error("{0}")]
    Invalid(String),
    #[error("the peer closed the connection inside the header: {0}")]
    Io(#[from] io::Error),
}

/// A stream whose bytes can be peeked.
pub trait Source: AsyncRead + Unpin {
    /// Peeks at received bytes, up to the length of `buffer`; 0 at the end.
    fn peek(&mut self, buffer: &mut [u8]) -> impl Future<Output = io::Result<usize>> + Send;
}

impl Source for TcpStream {
    async fn peek(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        TcpStream::peek(self, buffer).await
    }
}

/// How the connection of a proxy starts.
#[derive(Debug)]
pub enum Start {
    /// With a header, which says who the connection belongs to.
    Header(Speaker),
    /// With something else, of which these bytes were read.
    Other(Vec<u8>),
}

/// Reads exactly the header, if there is one.
pub async fn read_start(stream: &mut impl Source) -> Result<Start, ProxyError> {
    let mut header = vec![0; SHORTEST];
    stream.read_exact(&mut header).await?;
    if header.starts_with(SIGNATURE_2) {
        read_more(stream, &mut header, FIXED_PART_2).await?;
        let rest = header::block_bytes(&header);
        if header::is_local(&header) {
            discard(stream, rest).await?;
        } else {
            read_more(stream, &mut header, FIXED_PART_2 + rest).await?;
        }
    } else if header.starts_with(SIGNATURE_1) {
        read_line(stream, &mut header).await?;
    } else {
        return Ok(Start::Other(header));
    }
    let speaker = header::parse(&header).map_err(ProxyError::Invalid)?;
    Ok(Start::Header(speaker))
}

/// Whether a connection whose first byte this is may start with a header.
pub fn may_be_header(first: u8) -> bool {
    first == SIGNATURE_1[0] || first == SIGNATURE_2[0]
}

/// Reads and drops this many bytes.
async fn discard(stream: &mut (impl AsyncRead + Unpin), length: usize) -> Result<(), ProxyError> {
    let mut block = stream.take(length as u64);
    let discarded = tokio::io::copy(&mut block, &mut tokio::io::sink()).await?;
    if discarded == length as u64 {
        Ok(())
    } else {
        Err(io::Error::from(io::ErrorKind::UnexpectedEof).into())
    }
}

/// Reads until the header has this length.
async fn read_more(
    stream: &mut (impl AsyncRead + Unpin),
    header: &mut Vec<u8>,
    length: usize,
) -> Result<(), ProxyError> {
    if length > MAX_PROXY_HEADER_BYTES {
        return Err(ProxyError::TooLong);
    }
    let have = header.len();
    header.resize(length, 0);
    stream.read_exact(&mut header[have..]).await?;
    Ok(())
}

/// Reads the rest of the line. Peeks first, so that following bytes stay in the stream.
async fn read_line(stream: &mut impl Source, line: &mut Vec<u8>) -> Result<(), ProxyError> {
    while !line.ends_with(b"\n") {
        let mut ahead = [0; LONGEST_1];
        let room = LONGEST_1.saturating_sub(line.len());
        if room == 0 {
            return Err(ProxyError::Invalid("the line is too long".into()));
        }
        let seen = stream.peek(&mut ahead[..room]).await?;
        if seen == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        let line_end = ahead[..seen].iter().position(|byte| *byte == b'\n');
        let length = line.len() + line_end.map_or(seen, |at| at + 1);
        read_more(stream, line, length).await?;
    }
    Ok(())
}
