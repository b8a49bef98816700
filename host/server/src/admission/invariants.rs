//! What holds for whatever a client sends before it is served: a PROXY header, and what TLS begins with.

use super::proxy::{Source, Speaker, parse, read_header};
use crate::tls::invariants as tls;
use proxy_header::{ProxiedAddress, ProxyHeader};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, ReadBuf};

/// Checks a byte that says in what pieces the rest comes: as what a trusted proxy sends, and as what a client sends that
/// is to speak TLS.
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

/// For whom the proxy speaks, and how long its header is.
fn read(stream: &[u8], piece: usize) -> Option<(Speaker, usize)> {
    let mut pieces = Pieces { stream, piece };
    let header = read_header(&mut pieces);
    // Nothing here is ever waited for.
    let read = pin!(header).poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(read) = read else {
        panic!("it waits for what is there");
    };
    let length = stream.len() - pieces.stream.len();
    read.ok().map(|speaker| (speaker, length))
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

/// A stream that comes in pieces, and then ends.
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
