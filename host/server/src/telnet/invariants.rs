//! Properties of telnet, whatever a client sends. Used by tests and fuzzing.

use super::Interrupt;
use super::codec::{Codec, End, TelnetError};

/// All that a client's stream leads to: text, answers, and how it ended.
type Heard = (Vec<u8>, Vec<u8>, Option<End>);

/// The first byte says how the rest is split, and what an interrupt does. Checks the rest as the
/// stream of a client, and its text as that of a handler.
pub fn check(input: &[u8]) {
    let Some((first, stream)) = input.split_first() else {
        return;
    };
    let interrupt = match first & 0x80 {
        0 => Interrupt::End,
        _ => Interrupt::Pass,
    };
    let piece = usize::from(first & 0x7f).max(1);
    let whole = hear(stream, usize::MAX, interrupt);
    assert_eq!(hear(stream, piece, interrupt), whole);
    let Ok((text, answers, _)) = whole else {
        return;
    };
    assert!(text.len() <= stream.len());
    assert!(!text.contains(&b'\r'), "a line end is left");
    // Each command is answered at most once.
    assert!(answers.len() <= 6 + 9 * stream.len());
    comes_back(&text, piece);
    say(stream, piece);
}

fn hear(stream: &[u8], piece: usize, interrupt: Interrupt) -> Result<Heard, TelnetError> {
    let mut codec = Codec::server(interrupt, Default::default());
    let mut text = Vec::new();
    for piece in stream.chunks(piece.min(stream.len()).max(1)) {
        let mut bytes = piece.to_vec();
        let decoded = codec.decode(&mut bytes)?;
        text.extend_from_slice(&bytes[..decoded]);
    }
    Ok((text, codec.output.to_vec(), codec.end()))
}

/// What is sent for a text, in pieces.
fn say(text: &[u8], piece: usize) -> Vec<u8> {
    let mut codec = Codec::client();
    text.chunks(piece).for_each(|piece| codec.encode(piece));
    codec.finish();
    let said = codec.output.to_vec();
    assert!(said.len() <= 2 * text.len() + 1);
    let mut whole = Codec::client();
    whole.encode(text);
    whole.finish();
    assert_eq!(said, whole.output, "it depends on the pieces");
    said
}

/// Text without CR is the same at the other end.
pub fn comes_back(text: &[u8], piece: usize) {
    let said = say(text, piece);
    let mut codec = Codec::client();
    let mut heard = said.clone();
    let decoded = codec.decode(&mut heard);
    assert_eq!(decoded.map(|length| &heard[..length]), Ok(text));
    assert_eq!((codec.output.len(), codec.end()), (0, None));
}
