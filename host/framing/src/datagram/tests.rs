use super::*;

fn cut(decoder: &mut DatagramDecoder, datagram: &[u8]) -> (Vec<Bytes>, Option<FramingError>) {
    decoder.begin(datagram.into());
    let mut messages = Vec::new();
    loop {
        match decoder.next_message() {
            Ok(Some(message)) => messages.push(message),
            Ok(None) => return (messages, None),
            Err(error) => return (messages, Some(error)),
        }
    }
}

fn decoder(framing: &str, limit: usize) -> DatagramDecoder {
    DatagramDecoder::new(framing.parse().unwrap(), limit)
}

#[test]
fn without_framing_a_datagram_is_a_message() {
    let mut decoder = decoder("chunks", 4);
    for datagram in [&b""[..], b"a", b"abcd"] {
        let (messages, error) = cut(&mut decoder, datagram);
        assert_eq!((&messages[..], error), (&[datagram.into()][..], None));
    }
    let (messages, error) = cut(&mut decoder, b"abcde");
    assert_eq!(
        (messages.len(), error),
        (0, Some(FramingError::TooLong { limit: 4 }))
    );
    assert_eq!(cut(&mut decoder, b"abcd").0, ["abcd"]);
    assert_eq!(decoder.next_message(), Ok(None));
}

#[test]
fn lines_end_with_their_datagram() {
    let mut decoder = decoder("lines", 8);
    for (datagram, lines) in [
        (&b""[..], &[][..]),
        (b"\n", &[""]),
        (b"one\r\ntwo\n", &["one", "two"]),
        (b"one\n\nlast", &["one", "", "last"]),
        (b"three", &["three"]),
    ] {
        assert_eq!(
            cut(&mut decoder, datagram),
            (lines.iter().map(|line| (*line).into()).collect(), None)
        );
    }
}

#[test]
fn an_error_in_one_datagram_does_not_affect_the_next() {
    let good: &[u8] = b"\0\x02hi";
    for (bad, expected) in [
        (
            &b"\0\x02hi\0\x05abc"[..],
            FramingError::Truncated { have: 5 },
        ),
        (b"\0\x02hi\0", FramingError::Truncated { have: 1 }),
        (b"\0\x02hi\xff\xff", FramingError::TooLong { limit: 64 }),
    ] {
        let mut decoder = decoder("length-prefixed:2", 64);
        let (messages, error) = cut(&mut decoder, bad);
        assert_eq!((messages, error), (vec!["hi".into()], Some(expected)));
        assert_eq!(cut(&mut decoder, good), (vec!["hi".into()], None));
    }
    for (framing, bad, good) in [
        ("lines", &b"a line that is too long\n"[..], &b"ok"[..]),
        ("delimited:7c7c", b"too long|", b"|ok"),
    ] {
        let mut decoder = decoder(framing, 3);
        assert!(cut(&mut decoder, bad).1.is_some());
        assert_eq!(cut(&mut decoder, good).0.concat(), good);
    }
}

#[test]
fn the_framing_changes_between_two_messages_of_a_datagram() {
    let mut decoder = decoder("lines", 64);
    decoder.begin(b"4\nabcdrest\nof it"[..].into());
    assert_eq!(decoder.next_message().unwrap().unwrap(), "4");
    decoder.set_framing("fixed:4".parse().unwrap());
    assert_eq!(decoder.next_message().unwrap().unwrap(), "abcd");
    decoder.set_framing("chunks".parse().unwrap());
    assert_eq!(decoder.next_message().unwrap().unwrap(), "rest\nof it");
    assert_eq!(decoder.next_message(), Ok(None));
}
