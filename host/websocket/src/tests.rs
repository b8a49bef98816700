use super::*;
use bytes::BytesMut;
use proptest::prelude::*;

fn read(frames: &[u8]) -> Result<Vec<Piece>, FrameError> {
    let (mut reader, mut input) = (FrameReader::new(Role::Client), BytesMut::from(frames));
    let mut pieces = Vec::new();
    while let Some(piece) = reader.next(&mut input, 0, 1000)? {
        pieces.push(piece);
    }
    Ok(pieces)
}

#[test]
fn the_examples_of_the_standard_are_read() {
    let text = |bytes: &str, is_last| Piece::Data {
        bytes: bytes.into(),
        is_text: true,
        is_last,
    };
    assert_eq!(read(b"\x81\x05Hello"), Ok(vec![text("Hello", true)]));
    assert_eq!(
        read(b"\x01\x03Hel\x80\x02lo"),
        Ok(vec![text("Hel", false), text("lo", true)])
    );
    assert_eq!(
        read(b"\x89\x05Hello\x8a\x05Hello\x88\x02\x03\xe8\x88\0"),
        Ok(vec![
            Piece::Ping("Hello".into()),
            Piece::Pong,
            Piece::Close(Some(1000)),
            Piece::Close(None),
        ])
    );
    let mut masked = BytesMut::from(&b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"[..]);
    let piece = FrameReader::new(Role::Server).next(&mut masked, 0, 5);
    assert_eq!(piece, Ok(Some(text("Hello", true))));
}

#[test]
fn each_mistake_has_its_own_error() {
    use FrameError as E;
    for (frames, expected) in [
        (&b"\xc1\x00"[..], E::ReservedBits),
        (b"\x83\x00", E::Opcode(3)),
        (b"\x8b\x00", E::Opcode(11)),
        (b"\x81\x80\0\0\0\0", E::Masked),
        (b"\x81\x7e\x00\x7d", E::Length),
        (b"\x82\x7f\0\0\0\0\0\0\xff\xff", E::Length),
        (b"\x82\x7f\xff\0\0\0\0\0\0\0", E::Length),
        (b"\x09\x00", E::Control),
        (b"\x89\x7e\x00\x7e", E::Control),
        (b"\x80\x00", E::NoMessage),
        (b"\x01\x00\x81\x00", E::InsideMessage),
        (b"\x81\x02\xc3\x28", E::NotText),
        (b"\x81\x01\xc3", E::NotText),
        (b"\x88\x01\x03", E::Close),
        (b"\x88\x02\x03\xed", E::Close),
        (b"\x88\x03\x03\xe8\xff", E::NotText),
    ] {
        let shown = frames.escape_ascii();
        assert_eq!(read(frames), Err(expected), "{shown}");
    }
    let limit = 1000;
    let long = read(b"\x82\x7e\x03\xe9");
    assert_eq!(long, Err(FrameError::TooLong { limit }));
}

#[test]
fn text_may_be_cut_inside_a_character() {
    let text = "aé€😀".as_bytes();
    for cut in 0..=text.len() {
        let mut utf8 = utf8::Utf8::default();
        assert!(utf8.check(&text[..cut]) && utf8.check(&text[cut..]) && utf8.finish());
        let mut utf8 = utf8::Utf8::default();
        let is_whole = str::from_utf8(&text[..cut]).is_ok();
        assert!(utf8.check(&text[..cut]));
        assert_eq!(utf8.finish(), is_whole, "{cut}");
    }
    // Too large: known from the second byte on.
    assert!(!utf8::Utf8::default().check(b"\xf4\x90"));
}

proptest! {
    #[test]
    fn frames_are_read_the_same_in_any_pieces(
        piece in 1u8..20,
        parts in prop::collection::vec(
            (prop::sample::select(vec![0u8, 1, 2, 8, 9, 10, 0x80, 0x81, 0x82, 0x89, 0x8a, 0x88, 0xff]),
             0u8..130, prop::collection::vec(prop_oneof![0u8..4, Just(0xc3), Just(0xa9)], 0..12)),
            0..12,
        ),
    ) {
        let mut input = vec![piece];
        for (first, second, payload) in parts {
            // Mostly frames of servers, and of clients with a key of zeros.
            let is_masked = second & 1 == 1;
            input.extend([first, payload.len() as u8 | if is_masked { 0x80 } else { 0 }]);
            input.extend(if is_masked { &[0; 4][..] } else { &[] });
            input.extend(payload);
        }
        invariants::check(&input);
    }
}
