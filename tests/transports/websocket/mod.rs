//! WebSocket listeners, with raw frames: what no library of a client would send.

mod autobahn;
mod handshake;
mod libraries;
mod page;
mod socket;

use crate::fixture::{Client, Host, guest};
use crate::swap::post::Post;
use crate::swap::versions::counter;
use rustix::process::Signal;
pub use socket::{BINARY, CLOSE, HANDSHAKE, PING, PONG, Socket, TEXT, frame};
use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

/// A host with a WebSocket listener.
pub fn serve(arguments: &[&str]) -> Host {
    Host::serve(&[&["--listen", "ws://127.0.0.1:0"], arguments].concat())
}

fn puppet(arguments: &[&str]) -> Host {
    serve(&[&[guest("puppet").as_str()], arguments].concat())
}

/// A WebSocket that was greeted, so its session is open.
fn greeted(host: &Host) -> Socket {
    let mut socket = Socket::open(host.address());
    socket.expect(BINARY, "ready\n");
    socket
}

#[test]
fn a_message_is_answered_by_one_of_its_type() {
    let host = serve(&["echo"]);
    let mut socket = Socket::open(host.address());
    assert_eq!(socket.ask("hello"), "hello");
    for payload in [
        &b"\xff\0"[..],
        b"",
        &[b'x'; 125],
        &[b'x'; 126],
        &[b'x'; 65_535],
    ] {
        socket.send(BINARY, payload);
        socket.expect(BINARY, payload);
    }
    assert_eq!(socket.ask(""), "");
    let long = "€".repeat(30_000);
    assert_eq!(socket.ask(&long), long);
    socket.send(CLOSE, b"\x0b\xb8");
    socket.expect_close(3000);
    host.wait_for_log("end=\"finished\"");
}

#[test]
fn a_client_that_closes_no_websocket_has_left() {
    let host = puppet(&[]);
    let mut socket = greeted(&host);
    socket.client.send(&frame(TEXT, b"say cut\n")[..9]);
    socket.client.finish();
    socket.expect_close(1000);
    host.wait_for_log("end=\"left\"");
}

#[test]
fn fragments_are_one_message_and_control_frames_come_between_them() {
    let host = serve(&["echo"]);
    let mut socket = Socket::open(host.address());
    socket.send(0x01, "a\u{e9}".as_bytes().split_at(2).0);
    socket.send(PING, b"still there?");
    socket.expect(PONG, "still there?");
    socket.send(0x00, b"");
    socket.send(PONG, b"unasked");
    socket.send(0x80, "a\u{e9}".as_bytes().split_at(2).1);
    assert_eq!(socket.text(), "aé");
    // All bytes of the frames may come alone.
    let frames = [frame(0x02, b"ab"), frame(PING, b""), frame(0x80, b"cd")].concat();
    for byte in frames {
        socket.client.send([byte]);
    }
    socket.expect(PONG, "");
    socket.expect(BINARY, "abcd");
}

#[test]
fn other_framings_cut_the_payloads_as_a_stream() {
    let host = puppet(&[]);
    let mut socket = greeted(&host);
    socket.send(TEXT, b"say a\nsay b\nsa");
    assert_eq!((socket.text(), socket.text()), ("a\n".into(), "b\n".into()));
    socket.send(0x01, b"y c");
    socket.send(0x80, b"\n");
    assert_eq!(socket.text(), "c\n");
    // What one callback sends is one message.
    assert_eq!(socket.ask("say a; say b\n"), "a\nb\n");
    // The framing changes inside a message of the client.
    socket.send(BINARY, b"framing fixed:5\nsay absay");
    socket.send(BINARY, b" c");
    socket.expect(BINARY, "a\n");
    // Five bytes are `bsay `, which is no command.
    assert!(socket.receive().1.starts_with(b"peer "));
}

#[test]
fn a_message_without_end_is_refused_before_it_is_stored() {
    let host = serve(&["echo", "--max-message", "1000"]);
    let mut whole = Socket::open(host.address());
    whole.send(BINARY, &[b'x'; 1000]);
    whole.expect(BINARY, [b'x'; 1000]);
    // Only the header.
    whole.client.send(&frame(BINARY, &[b'x'; 1001])[..8]);
    whole.expect_close(1009);
    let mut fragmented = Socket::open(host.address());
    fragmented.send(0x02, &[b'x'; 600]);
    fragmented.send(0x00, &[b'x'; 400]);
    fragmented.send(0x00, b"x");
    fragmented.expect_close(1009);
    // What is not kept whole may be as long as it likes.
    let lines = puppet(&["--max-message", "1000"]);
    let mut socket = greeted(&lines);
    socket.send(TEXT, "say x\n".repeat(10_000).as_bytes());
    for _ in 0..10_000 {
        assert_eq!(socket.text(), "x\n");
    }
    socket.send(TEXT, &[b'x'; 1002]);
    socket.expect_close(1009);
}

#[test]
fn bad_frames_end_the_connection_with_their_code() {
    let host = serve(&["echo"]);
    for (bytes, code, why) in [
        (&b"\x81\x00"[..], 1002, "a client's frame is not masked"),
        (b"\xc1\x80\0\0\0\0", 1002, "a frame has reserved bits"),
        (
            b"\x83\x80\0\0\0\0",
            1002,
            "a frame has the unknown opcode 3",
        ),
        (b"\x09\x80\0\0\0\0", 1002, "a control frame is fragmented"),
        (
            b"\x80\x80\0\0\0\0",
            1002,
            "a message continues that has not begun",
        ),
        (
            b"\x88\x82\0\0\0\0\x03\xed",
            1002,
            "a close frame has a bad code",
        ),
        (b"\x81\x81\0\0\0\0\xff", 1007, "a text message is not UTF-8"),
    ] {
        let mut socket = Socket::open(host.address());
        socket.client.send(bytes);
        socket.expect_close(code);
        host.wait_for_log(&format!("the client broke the framing: WebSocket: {why}"));
    }
}

#[test]
fn the_close_code_tells_how_a_session_ended() {
    let host = puppet(&[]);
    for (command, code) in [
        ("fail protocol", 1002),
        ("fail refused", 1008),
        ("fail internal", 1011),
        ("panic", 1011),
        ("close", 1000),
    ] {
        let mut socket = greeted(&host);
        socket.send(TEXT, format!("{command}\n").as_bytes());
        socket.expect_close(code);
    }
    let mut socket = greeted(&host);
    socket.send(TEXT, b"reset\n");
    let ended = socket.client.stream.read(&mut [0; 64]);
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_client_that_closes_still_gets_what_the_handler_says_last() {
    let host = puppet(&[]);
    let mut socket = greeted(&host);
    // A timer does not keep a client waiting that wants to leave.
    socket.send(TEXT, b"timer 1 3600000\nsay one\nsay last");
    socket.send(CLOSE, b"\x03\xe8bye");
    assert_eq!(socket.text(), "one\n");
    assert_eq!(socket.text(), "last\n");
    assert_eq!(socket.text(), "eof\n");
    socket.expect_close(1000);
    // Without a close frame the end of the stream is no end of the conversation.
    let mut socket = greeted(&host);
    socket.client.finish();
    socket.expect_close(1000);
}

#[test]
fn a_host_that_stops_is_going_away() {
    let mut host = puppet(&[]);
    let mut socket = greeted(&host);
    assert_eq!(socket.ask("say here\n"), "here\n");
    host.process.signal(Signal::TERM);
    assert_eq!(socket.text(), "goodbye\n");
    socket.expect_close(1001);
    assert_eq!(host.process.wait().code(), Some(0));
}

#[test]
fn a_silent_client_stays_while_it_answers_pings() {
    let host = serve(&["echo", "--idle-timeout", "2s"]);
    let mut living = Socket::open(host.address());
    let mut dead = Socket::open(host.address());
    for _ in 0..4 {
        living.expect(PING, "");
        living.send(PONG, b"");
    }
    assert_eq!(living.ask("hello"), "hello");
    dead.expect(PING, "");
    dead.expect_close(1001);
    host.wait_for_log("no byte moved for 2s (--idle-timeout)");
}

#[test]
fn the_type_of_messages_can_be_chosen() {
    let host = serve(&["echo", "--ws-messages", "binary"]);
    let mut socket = Socket::open(host.address());
    socket.send(TEXT, b"a");
    socket.expect(BINARY, "a");
    let host = serve(&["echo", "--ws-messages", "text"]);
    let mut socket = Socket::open(host.address());
    socket.send(BINARY, b"a");
    socket.expect(TEXT, "a");
    socket.send(BINARY, b"\xff");
    socket.expect_close(1011);
    host.wait_for_log("the handler sent text that is not UTF-8");
}

#[test]
fn pings_in_floods_take_no_memory() {
    let host = serve(&["echo"]);
    let mut socket = Socket::open(host.address());
    assert_eq!(socket.ask("hello"), "hello");
    let before = host.usage().resident_kib;
    // Nobody reads the pongs, so the host stops reading the pings.
    let pings = frame(PING, &[b'x'; 125]).repeat(1000);
    let limit = Some(Duration::from_secs(1));
    socket.client.stream.set_write_timeout(limit).unwrap();
    let mut sent = 0;
    while let Ok(count) = socket.client.stream.write(&pings) {
        sent += count;
    }
    assert!(sent < 64 << 20, "{sent} bytes were read");
    let grown = host.usage().resident_kib.saturating_sub(before);
    assert!(grown < 8 << 10, "{grown} KiB more");
}

#[test]
fn a_session_moves_to_a_new_version() {
    let listen = ["--listen", "ws://127.0.0.1:0", "--swap", "migrate"];
    let post = Post::serve(counter("v1"), &listen);
    let mut socket = Socket::open(post.host.address());
    assert_eq!(socket.ask("x\n"), "v1 1 x\n");
    post.swap_to(counter("v2"));
    assert_eq!(socket.ask("x\n"), "v2 2 x\n");
}

#[test]
fn each_door_serves_the_same_room() {
    let host = Host::serve(&[
        &guest("chat"),
        "--isolation",
        "shared",
        "--listen",
        "tcp://127.0.0.1:0",
        "--listen",
        "ws://127.0.0.1:0/chat",
    ]);
    let mut plain = Client::connect(host.addresses()[0]);
    plain.send("/nick ann\n");
    let mut hears = |needle: &str| while !plain.line().contains(needle) {};
    hears("you are ann now");
    let mut socket = Socket::begin(Client::connect(host.addresses()[1]), "/chat", "");
    socket.send(TEXT, b"/nick bob\n");
    hears("bob");
    socket.send(TEXT, b"hello from the browser\n");
    hears("hello from the browser");
}

#[test]
fn a_program_reads_payloads_and_writes_messages() {
    let host = serve(&[&guest("wordcount")]);
    let mut socket = Socket::open(host.address());
    socket.send(TEXT, b"one two ");
    socket.send(PING, b"?");
    socket.expect(PONG, "?");
    socket.send(TEXT, b"three\n");
    socket.send(CLOSE, b"\x03\xe8");
    let (mut said, mut frame) = (String::new(), socket.receive());
    while frame.0 == TEXT {
        said.push_str(str::from_utf8(&frame.1).unwrap());
        frame = socket.receive();
    }
    assert!(said.contains('3'), "{said}");
    assert_eq!(frame, (CLOSE, b"\x03\xe8".to_vec()));
    let mut socket = Socket::open(host.address());
    socket.client.send(b"\x81\x00");
    socket.expect_close(1002);
}
