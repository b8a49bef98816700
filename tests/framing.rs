//! Messages arrive whole, however TCP delivers them. `reverse` shows where they begin and end.

use crate::fixture::{Host, guest};

/// Serves `reverse` with a framing, and sends `stream` cut in two at every place and byte by byte.
fn assert_replies(framing: &str, stream: &[u8], replies: &str) {
    let host = Host::serve(&[&guest("reverse"), "--framing", framing]);
    let mut cuts: Vec<Vec<&[u8]>> = (0..=stream.len())
        .map(|cut| vec![&stream[..cut], &stream[cut..]])
        .collect();
    cuts.push(stream.chunks(1).collect());
    for pieces in cuts {
        let mut client = host.connect();
        for piece in &pieces {
            client.send(piece);
        }
        client.finish();
        let got = client.rest();
        assert_eq!(
            got.escape_ascii().to_string(),
            replies.escape_default().to_string(),
            "{framing} {pieces:?}"
        );
    }
}

#[test]
fn lines() {
    assert_replies("lines", b"one\r\ntwo\n\nlast", "eno\nowt\n\ntsal\n");
}

#[test]
fn length_prefixed() {
    assert_replies("length-prefixed:1", b"\x03one\x00\x03two", "eno\n\nowt\n");
    assert_replies(
        "length-prefixed:2",
        b"\0\x03one\0\0\0\x03two",
        "eno\n\nowt\n",
    );
    assert_replies(
        "length-prefixed:4",
        b"\0\0\0\x03one\0\0\0\x03two",
        "eno\nowt\n",
    );
}

#[test]
fn delimited() {
    assert_replies(
        "delimited:2d2d",
        b"one--two-----last",
        "eno\nowt\n\ntsal-\n",
    );
}

#[test]
fn fixed() {
    assert_replies("fixed:3", b"onetwo", "eno\nowt\n");
}

#[test]
fn a_handler_that_declares_its_framing_needs_no_option() {
    let host = Host::serve(&[&guest("reverse")]);
    let mut client = host.connect();
    client.send("Hello, ");
    client.send("server!\r\n");
    client.expect("!revres ,olleH\n");
}

#[test]
fn what_is_cut_short_is_not_a_message() {
    let host = Host::serve(&[&guest("reverse"), "--framing", "length-prefixed:2"]);
    let mut client = host.connect();
    client.send(b"\0\x03one\0\x05tw");
    client.finish();
    assert_eq!(client.rest(), b"eno\n");
    host.wait_for_log("the stream ended 4 bytes into a message");
}
