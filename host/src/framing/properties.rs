//! What holds for every framing and every stream, checked on random ones.

use super::{Decoder, Framing, FramingError};
use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

/// What a stream amounted to: its messages, and the error it ended with, if any.
type Decoded = (Vec<Bytes>, Option<FramingError>);

/// Feeds `pieces` one by one, as reads would.
fn decode(framing: &Framing, limit: usize, pieces: &[&[u8]]) -> Decoded {
    decode_changing(framing, limit, pieces, std::iter::empty())
}

/// Feeds `pieces`, takes a framing of `changes` after each message, and checks the bound on what is held
/// back.
fn decode_changing<'a>(
    framing: &Framing,
    limit: usize,
    pieces: &[&[u8]],
    mut changes: impl Iterator<Item = &'a Framing>,
) -> Decoded {
    let mut decoder = Decoder::new(framing.clone(), limit);
    let mut input = BytesMut::new();
    let mut messages = Vec::new();
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            match decoder.next(&mut input) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => return (messages, Some(error)),
            }
            if let Some(framing) = changes.next() {
                decoder.set_framing(framing.clone());
            }
        }
        assert!(input.len() <= limit + super::MAX_DELIMITER_BYTES);
    }
    match decoder.finish(&mut input) {
        Ok(last) => messages.extend(last),
        Err(error) => return (messages, Some(error)),
    }
    assert!(input.is_empty());
    (messages, None)
}

fn framings() -> impl Strategy<Value = Framing> {
    prop_oneof![
        Just(Framing::Lines),
        prop::sample::select(vec![1u8, 2, 4]).prop_map(|w| Framing::length_prefixed(w).unwrap()),
        // Few different bytes, so that delimiters occur, overlap and nearly occur.
        prop::collection::vec(0u8..3, 1..4).prop_map(|d| Framing::delimited(d).unwrap()),
        (1u32..9).prop_map(|n| Framing::fixed(n).unwrap()),
    ]
}

fn streams() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![0u8..3, Just(b'\r'), Just(b'\n'), any::<u8>()];
    prop::collection::vec(byte, 0..64)
}

/// The stream a sender makes of `messages`.
fn encode(framing: &Framing, messages: &[Vec<u8>]) -> Vec<u8> {
    let mut stream = Vec::new();
    for message in messages {
        if let Framing::LengthPrefixed(width) = framing {
            let length = (message.len() as u32).to_be_bytes();
            stream.extend_from_slice(&length[4 - width.bytes()..]);
        }
        stream.extend_from_slice(message);
        match framing {
            Framing::Lines => stream.extend_from_slice(b"\r\n"),
            Framing::Delimited(delimiter) => stream.extend_from_slice(delimiter.as_bytes()),
            _ => {}
        }
    }
    stream
}

/// Cuts a stream at any places, the framing being changed at any messages, and compares with the same
/// stream byte by byte.
fn survives(stream: &[u8], limit: usize, cuts: Vec<usize>, framings: &[Framing]) {
    let decode =
        |pieces: &[&[u8]]| decode_changing(&Framing::Lines, limit, pieces, framings.iter().cycle());
    let bytes: Vec<_> = stream.chunks(1).collect();
    assert_eq!(decode(&pieces(stream, cuts)), decode(&bytes));
}

/// A stream cut at these places.
fn pieces(stream: &[u8], cuts: Vec<usize>) -> Vec<&[u8]> {
    let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
    cuts.sort_unstable();
    cuts.push(stream.len());
    let mut from = 0;
    let piece = |to| &stream[std::mem::replace(&mut from, to)..to];
    cuts.into_iter().map(piece).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_change_of_framing_holds_from_the_next_message_on(
        stream in streams(), limit in 1usize..40, cuts in prop::collection::vec(0usize..64, 0..6),
        framings in prop::collection::vec(framings(), 1..4),
    ) {
        survives(&stream, limit, cuts, &framings);
    }

    #[test]
    #[ignore = "a fuzz run of about a minute: `cargo test --release -p echo-host fuzz -- --ignored`"]
    fn fuzz(
        rounds in prop::collection::vec(
            (
                prop::collection::vec(any::<u8>(), 0..2000),
                1usize..1500,
                prop::collection::vec(0usize..2000, 0..60),
                prop::collection::vec(framings(), 1..6),
            ),
            2000,
        ),
    ) {
        for (stream, limit, cuts, framings) in rounds {
            survives(&stream, limit, cuts, &framings);
        }
    }

    #[test]
    fn the_cutting_on_the_way_changes_nothing(
        framing in framings(), stream in streams(), limit in 1usize..40, cuts in prop::collection::vec(0usize..64, 0..6),
    ) {
        let whole = decode(&framing, limit, &[&stream]);
        let pieces = pieces(&stream, cuts);
        prop_assert_eq!(&decode(&framing, limit, &pieces), &whole);

        let bytes: Vec<_> = stream.chunks(1).collect();
        prop_assert_eq!(&decode(&framing, limit, &bytes), &whole);
    }

    #[test]
    fn what_was_sent_is_what_arrives(
        framing in framings(), mut messages in prop::collection::vec(prop::collection::vec(b'a'..=b'z', 0..20), 0..8),
    ) {
        if let Framing::Fixed(length) = framing {
            messages.iter_mut().for_each(|message| message.resize(length.get() as usize, b'x'));
        }
        let (arrived, error) = decode(&framing, 64, &[&encode(&framing, &messages)]);
        prop_assert_eq!(error, None);
        prop_assert_eq!(arrived, messages);
    }

    #[test]
    fn chunks_lose_nothing(stream in streams(), limit in 1usize..40) {
        let (chunks, error) = decode(&Framing::Chunks, limit, &[&stream]);
        prop_assert_eq!(error, None);
        prop_assert!(chunks.iter().all(|chunk| (1..=limit).contains(&chunk.len())));
        prop_assert_eq!(chunks.concat(), stream);
    }
}
