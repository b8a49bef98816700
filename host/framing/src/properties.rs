//! Property tests: the invariants on random framings and streams.

use super::invariants::{chunks_lose_nothing, decode, pieces, survives};
use super::{Framing, LengthField};
use proptest::prelude::*;
use std::ops::Range;

fn framings() -> impl Strategy<Value = Framing> {
    prop_oneof![
        Just(Framing::Lines),
        Just(Framing::Varint),
        Just(Framing::Netstring),
        Just(Framing::Cobs),
        Just(Framing::Slip),
        prop::sample::select(vec![1u8, 2, 4]).prop_map(|w| Framing::length_prefixed(w).unwrap()),
        length_fields(0..4, -4i32..4).prop_map(Framing::LengthField),
        // Few different bytes, so that delimiters occur, overlap and nearly occur.
        prop::collection::vec(0u8..3, 1..4).prop_map(|d| Framing::delimited(d).unwrap()),
        (1u32..9).prop_map(|n| Framing::fixed(n).unwrap()),
    ]
}

fn length_fields(
    offsets: Range<u8>,
    adjustments: impl Strategy<Value = i32>,
) -> impl Strategy<Value = LengthField> {
    let flags = any::<[bool; 2]>();
    (offsets, 1u8..=8, flags, adjustments).prop_map(|(offset, width, flags, adjust)| LengthField {
        is_little_endian: flags[0],
        keeps_header: flags[1],
        adjust,
        ..LengthField::new(offset, width).unwrap()
    })
}

fn streams() -> impl Strategy<Value = Vec<u8>> {
    let marks = prop::sample::select(&b"\r\n0123:,\x80\xc0\xdb\xdc\xdd"[..]);
    let byte = prop_oneof![0u8..3, marks, any::<u8>()];
    prop::collection::vec(byte, 0..64)
}

fn messages() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![Just(0), Just(0xc0), Just(0xdb), any::<u8>()];
    prop::collection::vec(byte, 0..20)
}

/// The stream a sender makes of `messages`.
fn encode(framing: &Framing, messages: &[Vec<u8>]) -> Vec<u8> {
    let frames = messages.iter().map(|message| frame(framing, message));
    frames.collect::<Vec<_>>().concat()
}

fn frame(framing: &Framing, message: &[u8]) -> Vec<u8> {
    let length = message.len();
    match framing {
        Framing::Chunks | Framing::Fixed(_) => message.to_vec(),
        Framing::Lines => [message, b"\r\n"].concat(),
        Framing::Delimited(delimiter) => [message, delimiter.as_bytes()].concat(),
        Framing::LengthPrefixed(width) => {
            let prefix = (length as u32).to_be_bytes();
            [&prefix[4 - width.bytes()..], message].concat()
        }
        Framing::LengthField(field) => {
            let value = (length as i64 - i64::from(field.adjust)) as u64;
            let width = usize::from(field.width);
            let written = if field.is_little_endian {
                value.to_le_bytes()[..width].to_vec()
            } else {
                value.to_be_bytes()[8 - width..].to_vec()
            };
            [&vec![b'h'; usize::from(field.offset)], &written, message].concat()
        }
        // The second byte is not needed.
        Framing::Varint => [&[length as u8 | 0x80, 0], message].concat(),
        Framing::Netstring => [format!("{length}:").as_bytes(), message, b","].concat(),
        // The crate encodes nothing as nothing.
        Framing::Cobs if message.is_empty() => vec![1, 0],
        Framing::Cobs => {
            let mut encoded = vec![0; cobs::max_encoding_length(length) + 1];
            let used = cobs::encode(message, &mut encoded);
            encoded.truncate(used + 1);
            encoded
        }
        Framing::Slip => {
            let escaped = message.iter().flat_map(|byte| match byte {
                0xc0 => vec![0xdb, 0xdc],
                0xdb => vec![0xdb, 0xdd],
                byte => vec![*byte],
            });
            let ends = [0xc0];
            ends.into_iter().chain(escaped).chain(ends).collect()
        }
    }
}

/// What arrives of a message, as the framing has it.
fn handed_over(framing: &Framing, message: Vec<u8>) -> Vec<u8> {
    match framing {
        Framing::LengthField(field) if field.keeps_header => frame(framing, &message),
        _ => message,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_new_framing_applies_from_the_next_message(
        stream in streams(), limit in 1usize..40, cuts in prop::collection::vec(0usize..64, 0..6),
        framings in prop::collection::vec(framings(), 1..4),
    ) {
        survives(&stream, limit, &pieces(&stream, cuts), &framings);
    }

    #[test]
    fn the_split_into_reads_changes_nothing(
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
        framing in framings(), mut messages in prop::collection::vec(messages(), 0..8),
    ) {
        match &framing {
            Framing::Fixed(length) => {
                messages.iter_mut().for_each(|message| message.resize(length.get() as usize, b'x'));
            }
            // Their messages cannot contain everything.
            Framing::Lines | Framing::Delimited(_) => {
                messages.iter_mut().flatten().for_each(|byte| *byte = b'a' + *byte % 26);
            }
            Framing::Slip => messages.retain(|message| !message.is_empty()),
            Framing::LengthField(field) => {
                messages.retain(|message| message.len() as i64 >= i64::from(field.adjust));
            }
            _ => {}
        }
        let (arrived, error) = decode(&framing, 64, &[&encode(&framing, &messages)]);
        prop_assert_eq!(error, None);
        let messages: Vec<_> =
            messages.into_iter().map(|message| handed_over(&framing, message)).collect();
        prop_assert_eq!(arrived, messages);
    }

    #[test]
    fn what_is_written_is_read(field in length_fields(0..57, any::<i32>())) {
        let framing = Framing::LengthField(field);
        prop_assert_eq!(framing.to_string().parse(), Ok(framing));
    }

    #[test]
    fn any_text_is_a_framing_or_none(
        text in "[a-z-]{0,15}:?[0-9a-f,=+-]{0,9}(le|,|adjust=|keep-header|é){0,4}",
    ) {
        if let Ok(framing) = text.parse::<Framing>() {
            prop_assert_eq!(framing.to_string(), text.to_ascii_lowercase());
        }
    }

    #[test]
    fn chunks_are_cut_and_nothing_is_lost(
        stream in streams(), limit in 1usize..40, cuts in prop::collection::vec(0usize..64, 0..6),
    ) {
        chunks_lose_nothing(&stream, limit, &pieces(&stream, cuts));
    }
}
