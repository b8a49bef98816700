//! Properties of admission, whatever a client sends. Used by tests and fuzzing.

use super::proxy::{Source, Speaker, Start, parse, read_start};
use super::websocket::{Arrival, Judged, WebSocketRules, judge};
use crate::tls::invariants as tls;
use proxy_header::{ProxiedAddress, ProxyHeader};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, ReadBuf};
use websocket::MessageType;

/// The first byte says how the rest is split. Checks the rest as the stream of a trusted proxy and
/// of a TLS client.
pub fn check(input: &[u8]) {
    let Some((piece, stream)) = input.split_first() else {
        return;
    };
    let piece = usize::from(*piece).max(1);
    let whole = read(stream, usize::MAX);
    let cut = read(stream, piece);
    match (&whole, &cut) {
        (Some((speaker, length)), Some((again, other_length))) => {
            assert_eq!(
                (speaker, length),
                (again, other_length),
                "it is cut otherwise"
            );
        }
        (None, None) => {}
        _ => panic!("it is read as {whole:?}, and in pieces as {cut:?}"),
    }
    let behind = match whole {
        Some((speaker, length)) => {
            reads_the_same_when_it_is_written_again(&speaker);
            &stream[length..]
        }
        None => stream,
    };
    tls::check(behind, piece);
}

/// Checks the input as the request of a WebSocket: it is judged when it is whole, and the same
/// whatever follows. Every answer is one of HTTP.
pub fn check_upgrade(input: &[u8]) {
    let rules = WebSocketRules {
        path: Some("/".to_owned()),
        origins: Vec::new(),
        protocols: Vec::new(),
        messages: MessageType::Auto,
        has_page: input.len().is_multiple_of(2),
    };
    let networks: Vec<_> = "10.0.0.0/8".parse().into_iter().collect();
    for (proxies, is_local) in [(&networks[..], false), (&[], true)] {
        let arrival = Arrival {
            rules: &rules,
            proxies,
            is_local,
        };
        let Some((judged, length)) = judge(input, arrival) else {
            continue;
        };
        assert!(length <= input.len());
        is_well_formed(&judged);
        if judged.outcome.is_ok() {
            let alone = judge(&input[..length], arrival);
            assert_eq!(alone, Some((judged, length)));
            assert_eq!(judge(&input[..length - 1], arrival), None);
        }
    }
}

fn is_well_formed(judged: &Judged) {
    let response = match &judged.outcome {
        Ok((_, response)) => response.clone(),
        Err(answer) => answer.response(judged.is_head),
    };
    assert!(response.starts_with("HTTP/1.1 "));
    let (head, body) = response.split_once("\r\n\r\n").unwrap_or_default();
    assert!(head.split("\r\n").all(|line| !line.contains(['\r', '\n'])));
    if judged.outcome.is_err() && !judged.is_head {
        assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())));
    }
}

/// The result of the header, and its length.
fn read(stream: &[u8], piece: usize) -> Option<(Speaker, usize)> {
    let mut pieces = Pieces { stream, piece };
    let header = read_start(&mut pieces);
    // Nothing here ever waits.
    let read = pin!(header).poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(read) = read else {
        panic!("it waits for what is there");
    };
    let length = stream.len() - pieces.stream.len();
    match read {
        Ok(Start::Header(speaker)) => Some((speaker, length)),
        Ok(Start::Other(_)) | Err(_) => None,
    }
}

fn reads_the_same_when_it_is_written_again(speaker: &Speaker) {
    let Speaker::Client(proxied) = speaker else {
        return;
    };
    let addresses = ProxiedAddress::stream(proxied.client, proxied.reached);
    let header = ProxyHeader::with_address(addresses);
    for encode in [
        ProxyHeader::encode_to_slice_v1,
        ProxyHeader::encode_to_slice_v2,
    ] {
        let mut buffer = [0; 256];
        let Ok(length) = encode(&header, &mut buffer) else {
            panic!("{proxied:?} cannot be written");
        };
        assert_eq!(parse(&buffer[..length]).as_ref(), Ok(speaker));
    }
}

/// A stream that arrives in pieces and then ends.
struct Pieces<'a> {
    stream: &'a [u8],
    piece: usize,
}

impl Pieces<'_> {
    fn next(&self, room: usize) -> usize {
        self.stream.len().min(self.piece).min(room)
    }
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (piece, rest) = self.stream.split_at(self.next(buffer.remaining()));
        buffer.put_slice(piece);
        self.stream = rest;
        Poll::Ready(Ok(()))
    }
}

impl Source for Pieces<'_> {
    async fn peek(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.next(buffer.len());
        buffer[..length].copy_from_slice(&self.stream[..length]);
        Ok(length)
    }
}
