//! Messages arrive whole, however TCP splits them. `reverse` shows where they begin and end.

use crate::fixture::{Host, client_python, guest, run, script};

/// Serves `reverse` with a framing, and sends `stream` cut in two at every position, and byte by
/// byte.
fn assert_replies(framing: &str, stream: &[u8], replies: impl AsRef<[u8]>) {
    let replies = replies.as_ref().escape_ascii().to_string();
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
        let got = client.rest().escape_ascii().to_string();
        assert_eq!(got, replies, "{framing} {pieces:?}");
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
fn length_field() {
    assert_replies(
        "length-field:1,2",
        b"h\0\x03oneh\0\0h\0\x03two",
        "eno\n\nowt\n",
    );
    assert_replies(
        "length-field:1,3,le,adjust=-4",
        b"h\x07\0\0oneh\x04\0\0h\x07\0\0two",
        "eno\n\nowt\n",
    );
    assert_replies(
        "length-field:1,1,keep-header",
        b"h\x03oneh\0h\x03two",
        "eno\x03h\n\0h\nowt\x03h\n",
    );
}

#[test]
fn varint() {
    assert_replies("varint", b"\x03one\0\x83\0two", "eno\n\nowt\n");
}

#[test]
fn netstring() {
    assert_replies("netstring", b"3:one,0:,3:two,", "eno\n\nowt\n");
}

#[test]
fn cobs() {
    assert_replies("cobs", b"\0\x04one\0\0\x01\0\x02t\x02w\0", "eno\n\nw\0t\n");
}

#[test]
fn slip() {
    assert_replies(
        "slip",
        b"\xc0one\xc0\xc0two\xdb\xdd\xc0\xc0",
        b"eno\n\xdbowt\n",
    );
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

#[test]
fn what_breaks_a_framing_is_named() {
    for (framing, stream, why) in [
        (
            "length-field:0,1,adjust=-2",
            &b"\x01"[..],
            "a length field says 1, which with adjust=-2 is less than 0",
        ),
        ("varint", &[0x80; 10], "a varint is longer than 10 bytes"),
        ("varint", b"\xff\xff\xff\xff\x0f", "a message is longer"),
        ("netstring", b"03:one,", "does not begin with a length"),
        ("netstring", b"3:one;", "does not end with a comma"),
        ("netstring", b"999999", "a message is longer"),
        ("cobs", b"\x09one\0", "a COBS frame is malformed"),
        ("slip", b"\xdbone\xc0", "a SLIP packet has an ESC"),
    ] {
        let host = Host::serve(&[&guest("reverse"), "--framing", framing]);
        let mut client = host.connect();
        client.send(stream);
        assert_eq!(client.rest(), b"", "{framing}");
        host.wait_for_log(why);
    }
}

#[test]
fn protobuf_messages_in_their_delimited_form_are_cut() {
    let host = Host::serve(&[&guest("reverse"), "--framing", "varint"]);
    let mut client = client_python("python");
    client.args([script("protobuf_delimited.py").as_str(), host.uri()]);
    let finished = run(&mut client, b"");
    assert_eq!(finished.stdout, "7 messages\n", "{finished:?}");
}
