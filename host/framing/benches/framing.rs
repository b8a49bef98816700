//! The cost of framing: every framing, over a stream of small and one of large messages.
//!
//! `cargo bench --workspace --bench framing`

use bytes::BytesMut;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use echo_host_framing::{Decoder, Framing, LengthField};
use std::hint::black_box;

/// Small messages are a person's lines, large ones need many to a read.
const MESSAGE_BYTES: [usize; 2] = [16, 16 << 10];
const MAX_MESSAGE_BYTES: usize = 1 << 20;
/// As much as the host reads at once.
const READ_BYTES: usize = 68 << 10;

/// Every framing that cuts messages of `length` bytes.
fn framings(length: usize) -> Vec<Framing> {
    let width = if length < 256 { 1 } else { 2 };
    vec![
        Framing::Chunks,
        Framing::Lines,
        Framing::length_prefixed(width).expect("the width is allowed"),
        Framing::LengthField(LengthField::new(2, 4).expect("the field is short")),
        Framing::Varint,
        Framing::Netstring,
        Framing::Cobs,
        Framing::Slip,
        Framing::delimited(b"\r\n.\r\n".to_vec()).expect("the delimiter is short"),
        Framing::fixed(length as u32).expect("the length is not zero"),
    ]
}

/// As many whole messages as one read brings, and how many they are.
fn stream(framing: &Framing, length: usize) -> (BytesMut, u64) {
    let mut message = Vec::new();
    let bytes = (length as u32).to_be_bytes();
    match framing {
        Framing::LengthPrefixed(width) => message.extend_from_slice(&bytes[4 - width.bytes()..]),
        Framing::LengthField(_) => message.extend_from_slice(&[&b"hd"[..], &bytes].concat()),
        Framing::Varint => {
            let low = |bits: usize| (length >> bits) as u8 | 0x80;
            message.extend_from_slice(&[low(0), low(7), (length >> 14) as u8]);
        }
        Framing::Netstring => message.extend_from_slice(format!("{length}:").as_bytes()),
        _ => {}
    }
    message.resize(message.len() + length, b'x');
    match framing {
        Framing::Netstring => message.push(b','),
        Framing::Slip => message.push(0xc0),
        Framing::Cobs => {
            let mut encoded = vec![0; cobs::max_encoding_length(length) + 1];
            let used = cobs::encode(&message, &mut encoded);
            encoded.truncate(used + 1);
            message = encoded;
        }
        Framing::Lines => message.extend_from_slice(b"\r\n"),
        Framing::Delimited(delimiter) => message.extend_from_slice(delimiter.as_bytes()),
        _ => {}
    }
    let count = READ_BYTES / message.len();
    (BytesMut::from(&message.repeat(count)[..]), count as u64)
}

/// Cuts all there is, and tells how many messages that was.
fn cut(decoder: &mut Decoder, input: &mut BytesMut) -> u64 {
    let mut messages = 0;
    while let Some(message) = decoder.next(input).expect("every message is well formed") {
        black_box(message);
        messages += 1;
    }
    messages
}

fn framing(criterion: &mut Criterion) {
    for length in MESSAGE_BYTES {
        let mut group = criterion.benchmark_group(format!("framing/{length}B"));
        for framing in framings(length) {
            let (stream, count) = stream(&framing, length);
            // What one read returned is one chunk.
            let messages = match framing {
                Framing::Chunks => 1,
                _ => count,
            };
            group.throughput(Throughput::Elements(messages));
            group.bench_function(framing.to_string(), |bencher| {
                bencher.iter_batched(
                    || {
                        let decoder = Decoder::new(framing.clone(), MAX_MESSAGE_BYTES);
                        (decoder, stream.clone())
                    },
                    |(mut decoder, mut input)| {
                        let cut = cut(&mut decoder, &mut input);
                        assert_eq!(cut, messages);
                        input
                    },
                    BatchSize::SmallInput,
                );
            });
        }
        group.finish();
    }
}

criterion_group!(benches, framing);
criterion_main!(benches);
