//! The PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt): who a proxy's client is.

use crate::limits::MAX_PROXY_HEADER_BYTES;
use proxy_header::{ParseConfig, ProxyHeader};
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::TcpStream;

/// How version 2 begins, and how long it is at least: its length stands in the last two bytes of these.
const SIGNATURE_2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
const FIXED_PART_2: usize = 16;

/// How version 1 begins, and how long it can be: a line.
const SIGNATURE_1: &[u8] = b"PROXY ";
const LONGEST_1: usize = 107;

/// No header of either version is shorter.
const SHORTEST: usize = 15;

/// Why a header can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    #[error("it does not begin with a PROXY header")]
    Missing,
    #[error("its PROXY header is longer than {MAX_PROXY_HEADER_BYTES} bytes")]
    TooLong,
    #[error("its PROXY header makes no sense: {0}")]
    Invalid(String),
    #[error("it left within its PROXY header: {0}")]
    Io(#[from] io::Error),
}

/// The two ends of the connection to the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proxied {
    /// The proxy's client.
    pub client: SocketAddr,
    /// The address it reached.
    pub reached: SocketAddr,
}

/// Takes the header off, and not a byte more. `None` if the proxy speaks for itself, as it does to find out
/// whether the host is alive.
pub async fn read_header(stream: &mut TcpStream) -> Result<Option<Proxied>, ProxyError> {
    let mut header = vec![0; SHORTEST];
    stream.read_exact(&mut header).await?;
    if header.starts_with(SIGNATURE_2) {
        read_more(stream, &mut header, FIXED_PART_2).await?;
        let rest = u16::from_be_bytes([header[FIXED_PART_2 - 2], header[FIXED_PART_2 - 1]]);
        read_more(stream, &mut header, FIXED_PART_2 + usize::from(rest)).await?;
    } else if header.starts_with(SIGNATURE_1) {
        read_line(stream, &mut header).await?;
    } else {
        return Err(ProxyError::Missing);
    }
    let (header, _) = ProxyHeader::parse(&header, ParseConfig::default())
        .map_err(|error| ProxyError::Invalid(error.to_string()))?;
    Ok(header.proxied_address().map(|addresses| Proxied {
        client: addresses.source,
        reached: addresses.destination,
    }))
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

/// Reads up to the end of the line, of which the beginning is there. What follows it is looked at first, so
/// that it stays where it is.
async fn read_line(stream: &mut TcpStream, line: &mut Vec<u8>) -> Result<(), ProxyError> {
    while !line.ends_with(b"\n") {
        let mut ahead = [0; LONGEST_1];
        let room = LONGEST_1.saturating_sub(line.len());
        if room == 0 {
            return Err(ProxyError::Invalid("its line is too long".into()));
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
