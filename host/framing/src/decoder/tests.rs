use super::*;

fn decode(framing: &str, limit: usize, stream: &[u8]) -> (Vec<Bytes>, Option<FramingError>) {
    let mut decoder = Decoder::new(framing.parse().unwrap(), limit);
    let mut input = BytesMut::from(stream);
    let mut messages = Vec::new();
    loop {
        match decoder.next(&mut input) {
            Ok(Some(message)) => messages.push(message),
            Ok(None) => break,
            Err(error) => return (messages, Some(error)),
        }
    }
    match decoder.finish(&mut input) {
        Ok(last) => {
            messages.extend(last);
            (messages, None)
        }
        Err(error) => (messages, Some(error)),
    }
}

#[test]
fn lines_end_with_lf_or_cr_lf_and_the_last_may_have_no_end() {
    let (lines, error) = decode("lines", 64, b"one\r\ntwo\n\n\rthree\r\r\nfour");
    assert_eq!(lines, ["one", "two", "", "\rthree\r", "four"]);
    assert_eq!(error, None);
}

#[test]
fn a_line_may_be_as_long_as_the_limit_and_its_ending_does_not_count() {
    let (lines, error) = decode("lines", 3, b"abc\r\nabc\nabc");
    assert_eq!((lines.len(), error), (3, None));
    for long in [&b"abcd\n"[..], b"abcd\r\n", b"abcd", b"abc\r\r\n", b"abc\r"] {
        let (lines, error) = decode("lines", 3, long);
        assert_eq!(
            (lines.len(), error),
            (0, Some(FramingError::TooLong { limit: 3 }))
        );
    }
}

#[test]
fn a_declared_length_beyond_the_limit_is_refused_at_once() {
    let (messages, error) = decode("length-prefixed:4", 64, b"\0\0\0\x02hi\xff\xff\xff\xff");
    assert_eq!(messages, ["hi"]);
    assert_eq!(error, Some(FramingError::TooLong { limit: 64 }));
}

#[test]
fn a_stream_that_ends_inside_a_counted_message_is_truncated() {
    let (_, error) = decode("length-prefixed:2", 64, b"\0\x05abc");
    assert_eq!(error, Some(FramingError::Truncated { have: 5 }));
    let (messages, error) = decode("fixed:2", 64, b"abc");
    assert_eq!(messages, ["ab"]);
    assert_eq!(error, Some(FramingError::Truncated { have: 1 }));
}

#[test]
fn a_delimiter_may_begin_like_the_message() {
    let (messages, error) = decode("delimited:6161620a", 64, b"aaab\naaaab\n");
    assert_eq!(messages, ["a", "aa"]);
    assert_eq!(error, None);
}

#[test]
fn chunks_are_cut_at_the_limit() {
    let (messages, error) = decode("chunks", 2, b"abcde");
    assert_eq!(messages, ["ab", "cd", "e"]);
    assert_eq!(error, None);
}

/// A stream, its messages, and the error at its end.
type Stream<'a> = (&'a [u8], &'a [&'a [u8]], Option<FramingError>);

/// With a limit of 8 bytes.
pub fn assert_cut(framing: &str, streams: &[Stream<'_>]) {
    for (stream, expected, expected_error) in streams {
        let (messages, error) = decode(framing, 8, stream);
        let stream = stream.escape_ascii();
        assert_eq!(error, *expected_error, "{framing} {stream}");
        assert_eq!(messages, *expected, "{framing} {stream}");
    }
}

pub const TOO_LONG: Option<FramingError> = Some(FramingError::TooLong { limit: 8 });

pub fn truncated(have: usize) -> Option<FramingError> {
    Some(FramingError::Truncated { have })
}
