//! Properties of every framing and stream. Used by `properties` and by fuzzing.

use super::stuffed::Stuffing;
use super::{DatagramDecoder, Decoder, Framing, FramingError, MAX_LENGTH_FIELD_END};
use bytes::{Bytes, BytesMut};

/// At how many offsets a long stream is cut in two.
const MAX_CUTS: usize = 64;
/// The sizes of pieces that a stream is split into.
const PIECES: [usize; 4] = [1, 2, 3, 64];

/// The result of a stream: its messages, and the error at the end, if any.
pub(super) type Decoded = (Vec<Bytes>, Option<FramingError>);

/// Checks a line with a limit and framings, such as `64 lines fixed:4`, and the stream after it:
/// with the first framing alone, and with all in turn.
pub fn check(input: &[u8]) {
    let Some((limit, framings, stream)) = read(input) else {
        return;
    };
    for framing in &framings {
        assert_eq!(framing.to_string().parse().as_ref(), Ok(framing));
    }
    let cuttings = cuttings(stream);
    let first = &framings[0];
    if *first == Framing::Chunks {
        for pieces in &cuttings {
            chunks_lose_nothing(stream, limit, pieces);
        }
        return;
    }
    let whole = decode(first, limit, &[stream]);
    for pieces in &cuttings {
        assert_eq!(decode(first, limit, pieces), whole, "{first}");
    }
    datagrams_are_streams(first, limit, stream, &whole);
    if !framings.contains(&Framing::Chunks) {
        for pieces in &cuttings {
            survives(stream, limit, pieces, &framings);
        }
    }
}

fn read(input: &[u8]) -> Option<(usize, Vec<Framing>, &[u8])> {
    let end = input.iter().position(|byte| *byte == b'\n')?;
    let mut words = str::from_utf8(&input[..end]).ok()?.split(' ');
    let limit = words.next()?.parse().ok().filter(|limit| *limit > 0)?;
    let framings: Option<Vec<_>> = words.map(|word| word.parse().ok()).collect();
    let framings = framings.filter(|framings| !framings.is_empty())?;
    Some((limit, framings, &input[end + 1..]))
}

/// A stream in pieces of several sizes, and cut in two at many offsets (of a short stream: all).
fn cuttings(stream: &[u8]) -> Vec<Vec<&[u8]>> {
    let sizes = PIECES.iter().map(|size| stream.chunks(*size).collect());
    let offsets = (0..stream.len()).step_by(stream.len() / MAX_CUTS + 1);
    let halves = offsets.map(|offset| pieces(stream, vec![offset]));
    sizes.chain(halves).collect()
}

/// Feeds `pieces` one by one, as reads would.
pub(super) fn decode(framing: &Framing, limit: usize, pieces: &[&[u8]]) -> Decoded {
    decode_changing(framing, limit, pieces, std::iter::empty())
}

/// Feeds `pieces`, changes to the next of `changes` after each message, and checks the bounds of
/// messages and buffered bytes.
fn decode_changing<'a>(
    framing: &Framing,
    limit: usize,
    pieces: &[&[u8]],
    mut changes: impl Iterator<Item = &'a Framing>,
) -> Decoded {
    let mut decoder = Decoder::new(framing.clone(), limit);
    let mut framing = framing;
    let mut input = BytesMut::new();
    let mut messages: Vec<Bytes> = Vec::new();
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            match decoder.next(&mut input) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => return (messages, Some(error)),
            }
            if let Some(next) = changes.next() {
                framing = next;
                decoder.set_framing(framing.clone());
            }
        }
        assert!(input.len() <= max_buffered(framing, limit), "{framing}");
    }
    match decoder.finish(&mut input) {
        Ok(last) => messages.extend(last),
        Err(error) => return (messages, Some(error)),
    }
    assert!(input.is_empty());
    assert!(messages.iter().all(|message| message.len() <= limit));
    (messages, None)
}

/// The most bytes that may wait for the rest of a message.
fn max_buffered(framing: &Framing, limit: usize) -> usize {
    match framing {
        Framing::Cobs => Stuffing::Cobs.max_encoded(limit),
        Framing::Slip => Stuffing::Slip.max_encoded(limit),
        // No delimiter is longer.
        _ => limit.saturating_add(MAX_LENGTH_FIELD_END),
    }
}

/// With a framing that changes at each message, any split of the stream gives the same messages.
pub(super) fn survives(stream: &[u8], limit: usize, pieces: &[&[u8]], framings: &[Framing]) {
    let decode =
        |pieces: &[&[u8]]| decode_changing(&Framing::Lines, limit, pieces, framings.iter().cycle());
    let bytes: Vec<_> = stream.chunks(1).collect();
    assert_eq!(decode(pieces), decode(&bytes));
}

/// Chunks are the reads, split at the limit.
pub(super) fn chunks_lose_nothing(stream: &[u8], limit: usize, pieces: &[&[u8]]) {
    let (chunks, error) = decode(&Framing::Chunks, limit, pieces);
    assert_eq!(error, None);
    let is_cut = |chunk: &Bytes| (1..=limit).contains(&chunk.len());
    assert!(chunks.iter().all(is_cut));
    assert_eq!(chunks.concat(), stream);
}

/// A datagram is a whole stream, whatever the previous one was.
fn datagrams_are_streams(framing: &Framing, limit: usize, stream: &[u8], whole: &Decoded) {
    let mut decoder = DatagramDecoder::new(framing.clone(), limit);
    for _ in 0..2 {
        decoder.begin(stream.into());
        let mut messages = Vec::new();
        let error = loop {
            match decoder.next_message() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        assert_eq!((messages, error), *whole, "{framing}");
    }
}

/// A stream cut at these offsets.
pub(super) fn pieces(stream: &[u8], cuts: Vec<usize>) -> Vec<&[u8]> {
    let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
    cuts.sort_unstable();
    cuts.push(stream.len());
    let mut from = 0;
    let piece = |to| &stream[std::mem::replace(&mut from, to)..to];
    cuts.into_iter().map(piece).collect()
}
