//! The client's side of a WebSocket handshake (RFC 6455, section 4.1).

use crate::admission::accept_key;
use address::WebAddress;
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::BytesMut;
use connection::limits::{MAX_UPGRADE_BYTES, MAX_UPGRADE_HEADERS};
use connection::task::WebSocketStream;
use httparse::{EMPTY_HEADER, Response, Status};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Opens a WebSocket over a stream to the server at `address`.
pub async fn open<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    address: &WebAddress,
) -> io::Result<WebSocketStream<S>> {
    let mut nonce = [0; 16];
    rand::fill(&mut nonce).map_err(io::Error::other)?;
    let key = BASE64.encode(nonce);
    let (path, host) = (address.path.as_deref().unwrap_or("/"), &address.network);
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut input = BytesMut::new();
    loop {
        if stream.read_buf(&mut input).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(length) = check(&input, &key)? {
            let received = input.split_off(length);
            return Ok(WebSocketStream::of_client(stream, received));
        }
        if input.len() >= MAX_UPGRADE_BYTES {
            return Err(invalid("the server's answer is too long"));
        }
    }
}

/// The length of the server's answer, if it has arrived and opens the WebSocket.
fn check(input: &[u8], key: &str) -> io::Result<Option<usize>> {
    let mut headers = [EMPTY_HEADER; MAX_UPGRADE_HEADERS];
    let mut response = Response::new(&mut headers);
    let Status::Complete(length) = response
        .parse(input)
        .map_err(|_| invalid("no HTTP answer"))?
    else {
        return Ok(None);
    };
    let (code, reason) = (response.code, response.reason.unwrap_or_default());
    if code != Some(101) {
        let code = code.unwrap_or_default();
        let reason = reason.escape_debug();
        return Err(invalid(&format!(
            "the server opens no WebSocket: HTTP {code} {reason}"
        )));
    }
    let mut headers = response.headers.iter();
    let accept = headers.find(|it| it.name.eq_ignore_ascii_case("Sec-WebSocket-Accept"));
    if accept.is_none_or(|it| it.value != accept_key(key).as_bytes()) {
        return Err(invalid("the server's answer does not fit the request"));
    }
    Ok(Some(length))
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
