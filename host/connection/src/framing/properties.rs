//! What holds for every framing and every stream, checked on random ones.

use super::Framing;
use super::invariants::{chunks_lose_nothing, decode, pieces, survives};
use proptest::prelude::*;

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

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_change_of_framing_holds_from_the_next_message_on(
        stream in streams(), limit in 1usize..40, cuts in prop::collection::vec(0usize..64, 0..6),
        framings in prop::collection::vec(framings(), 1..4),
    ) {
        survives(&stream, limit, &pieces(&stream, cuts), &framings);
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
    fn chunks_are_cut_and_nothing_is_lost(
        stream in streams(), limit in 1usize..40, cuts in prop::collection::vec(0usize..64, 0..6),
    ) {
        chunks_lose_nothing(&stream, limit, &pieces(&stream, cuts));
    }
}
