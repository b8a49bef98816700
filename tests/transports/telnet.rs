//! Telnet: well-known clients, and what their like send.

use super::connect;
use crate::fixture::{Client, Host, Process, guest, run, tool};
use rustix::net::{SendFlags, send};
use rustix::process::Signal;
use std::io::{ErrorKind, Write};
use std::process::Command;
use std::time::Duration;

/// What the host asks of a client: its terminal type and the size of its window.
const ASKED: &[u8] = b"\xff\xfd\x18\xff\xfd\x1f";
/// Asks for the terminal type once the client is willing.
const SEND_TYPE: &[u8] = b"\xff\xfa\x18\x01\xff\xf0";
/// The first bytes of PuTTY 0.78: willing to tell its window, speed, terminal and environment; asks
/// for an echo, and for no go-aheads in both directions.
const PUTTY: &[u8] =
    b"\xff\xfb\x1f\xff\xfb\x20\xff\xfb\x18\xff\xfb\x27\xff\xfd\x01\xff\xfb\x03\xff\xfd\x03";
/// The host's answers, in that order. It has asked for window and terminal already.
const ANSWERED: &[u8] =
    b"\xff\xfe\x20\xff\xfa\x18\x01\xff\xf0\xff\xfe\x27\xff\xfc\x01\xff\xfd\x03\xff\xfb\x03";

fn serve(arguments: &[&str]) -> Host {
    Host::serve(&[&["--listen", "telnet://127.0.0.1:0"], arguments].concat())
}

/// A client that was asked.
fn client(host: &Host) -> Client {
    let mut client = host.connect();
    client.expect(ASKED);
    client
}

/// What a well-known client prints for a sum.
fn computes(program: &str, arguments: &[&str]) {
    let host = serve(&[&guest("calc")]);
    let port = host.address().port().to_string();
    let arguments = arguments.iter().map(|it| it.replace("PORT", &port));
    let mut telnet = Process::start(tool(program).args(arguments));
    for (sum, result) in [("600 + 66\n", "666"), ("7 * 111\n", "777")] {
        let stdin = telnet.stdin().as_mut().unwrap();
        stdin.write_all(sum.as_bytes()).unwrap();
        telnet.stdout.wait_for(result);
    }
    let said = telnet.stdout.text();
    assert!(!said.contains("expected"), "{said}");
}

#[test]
fn telnet_of_inetutils_computes() {
    computes("telnet", &["127.0.0.1", "PORT"]);
}

#[test]
fn plink_computes() {
    computes("plink", &["-telnet", "-batch", "-P", "PORT", "127.0.0.1"]);
}

#[test]
fn busybox_computes() {
    computes("busybox", &["telnet", "127.0.0.1", "PORT"]);
}

#[test]
fn nothing_of_telnet_reaches_a_handler_wherever_it_is_cut() {
    let host = serve(&[&guest("reverse")]);
    let stream = [PUTTY, b"one\r\ntwo\r\0\xff\xf1th\xff\xffree\r\n"].concat();
    let expected = [ASKED, ANSWERED].concat();
    for cut in 0..=stream.len() {
        let mut client = host.connect();
        client.send(&stream[..cut]);
        client.send(&stream[cut..]);
        client.finish();
        let got = client.rest();
        let (answers, text) = apart(&got);
        assert_eq!(
            answers.escape_ascii().to_string(),
            expected.escape_ascii().to_string()
        );
        assert_eq!(
            text.escape_ascii().to_string(),
            r"eno\r\nowt\r\neer\xffht\r\n",
            "{cut}"
        );
    }
}

/// Commands and text of what the host sent: answers may come between replies.
fn apart(sent: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (mut commands, mut text, mut rest) = (Vec::new(), Vec::new(), sent);
    while let Some((byte, after)) = rest.split_first() {
        let length = match rest {
            [0xff, 0xff, ..] => {
                text.push(0xff);
                rest = &rest[2..];
                continue;
            }
            [0xff, 0xfa, ..] => SEND_TYPE.len(),
            [0xff, ..] => 3,
            _ => {
                text.push(*byte);
                rest = after;
                continue;
            }
        };
        commands.extend_from_slice(&rest[..length]);
        rest = &rest[length..];
    }
    (commands, text)
}

#[test]
fn what_is_queued_behind_urgent_data_is_read() {
    let host = serve(&[&guest("puppet")]);
    let mut client = client(&host);
    assert_eq!(client.line(), "ready");
    // All is there when the host reads.
    host.process.signal(Signal::STOP);
    let mark = b"\xff\xf2";
    assert_eq!(send(&client.stream, mark, SendFlags::OOB).unwrap(), 2);
    client.send(b"say behind\r\n");
    host.process.signal(Signal::CONT);
    assert_eq!(client.line(), "behind");
}

#[test]
fn tcp_passes_every_byte_on() {
    let host = Host::serve(&[]);
    let mut client = host.connect();
    client.send(PUTTY);
    client.expect(PUTTY);
}

#[test]
fn a_handler_learns_of_the_terminal_while_it_is_served() {
    let host = serve(&[&guest("puppet")]);
    let mut client = client(&host);
    assert_eq!(client.ask("info telnet.window"), "ready");
    assert_eq!(client.line(), "None");
    assert!(client.ask("peer").contains("transport: \"telnet\""));
    client.send(b"\xff\xfb\x18");
    client.expect(SEND_TYPE);
    client.send(b"\xff\xfa\x18\0XTERM\xff\xf0\xff\xfb\x1f\xff\xfa\x1f\0\x50\0\x18\xff\xf0");
    assert_eq!(client.ask("info telnet.window"), "Some(\"80x24\")");
    assert_eq!(client.ask("info telnet.terminal-type"), "Some(\"xterm\")");
    client.send(b"\xff\xfa\x1f\0\x64\0\x1e\xff\xf0");
    assert_eq!(client.ask("info telnet.window"), "Some(\"100x30\")");
}

#[test]
fn an_interrupt_ends_the_connection_or_is_passed_on() {
    // Interrupt, break, abort, suspend; the first as inetutils sends it, with a request for a mark.
    let interrupts = [
        &b"\xff\xf4\xff\xfd\x06"[..],
        b"\xff\xf3",
        b"\xff\xee",
        b"\xff\xed",
    ];
    let host = serve(&[&guest("reverse")]);
    for interrupt in interrupts {
        let mut client = client(&host);
        client.send(b"whole\n");
        client.expect("elohw\r\n");
        client.send([b"half", interrupt].concat());
        assert!(!client.rest().starts_with(b"flah"));
    }
    let host = serve(&["--telnet-interrupt", "pass"]);
    for interrupt in interrupts {
        let mut client = client(&host);
        client.send(&interrupt[..2]);
        client.expect(b"\x03");
    }
}

#[test]
fn an_urgent_mark_takes_no_byte_of_the_text() {
    let host = serve(&["--telnet-interrupt", "pass"]);
    let mut client = client(&host);
    client.send(b"\xff\xf4\xff");
    rustix::net::send(&client.stream, b"\xf2", rustix::net::SendFlags::OOB).unwrap();
    client.expect(b"\x03");
    // Reading stops at the mark. A new segment continues it.
    client.send(b"text");
    client.expect(b"text");
}

#[test]
fn an_end_of_file_ends_the_input_of_a_program() {
    let host = serve(&[&guest("wordcount")]);
    let mut client = client(&host);
    client.send(b"a b\r\nc\r\n\xff\xec");
    let counted = String::from_utf8(client.rest()).unwrap();
    let counts: Vec<_> = counted.split_whitespace().collect();
    assert_eq!(counts, ["2", "3", "6"], "{counted}");
}

#[test]
fn who_asks_without_end_is_held_back_or_cut_off() {
    let host = serve(&[&guest("reverse")]);
    let mut negotiating = client(&host);
    negotiating.send([0xff, 0xfd, 0x01].repeat(1001));
    negotiating.rest();
    host.wait_for_log("negotiated telnet options more than 1000 times");

    let mut endless = client(&host);
    endless.send([&b"\xff\xfa\x18"[..], &[b'x'; 1025]].concat());
    endless.rest();
    host.wait_for_log("a telnet subnegotiation is longer than 1024 bytes");

    // Asks whether we are there, and never reads the answers.
    let resident = host.usage().resident_kib;
    let asking = client(&host);
    let timeout = Some(Duration::from_secs(1));
    asking.stream.set_write_timeout(timeout).unwrap();
    let questions = [0xff, 0xf6].repeat(32 << 10);
    let held_back = (0..1000).find_map(|_| (&asking.stream).write(&questions).err());
    let kind = held_back.map(|error| error.kind());
    assert!(
        matches!(kind, Some(ErrorKind::WouldBlock | ErrorKind::TimedOut)),
        "{kind:?}"
    );
    assert!(host.usage().resident_kib < resident + (8 << 10));
}

#[test]
fn our_client_speaks_telnet() {
    let host = serve(&[&guest("reverse")]);
    let finished = connect(&[host.uri()], "one\ntwo\n");
    assert_eq!(finished.stdout, "eno\nowt\n", "{finished:?}");
}

#[test]
fn a_proxy_says_who_the_client_is_before_telnet_begins() {
    let host = serve(&["--proxy-from", "127.0.0.1", &guest("puppet")]);
    let mut client = host.connect();
    client.send(b"PROXY TCP4 192.0.2.1 192.0.2.2 1234 2323\r\n");
    client.expect(ASKED);
    assert_eq!(client.ask("peer"), "ready");
    let peer = client.line();
    assert!(
        peer.contains("192.0.2.1:1234") && peer.contains("telnet"),
        "{peer}"
    );
}

#[test]
fn lines_of_a_windows_client_that_sends_each_character_are_lines() {
    let host = serve(&[&guest("reverse")]);
    let mut client = client(&host);
    // As Windows' telnet types: a segment for each character, and CR LF for Enter.
    for character in [&b"h"[..], b"i", b"\r\n"] {
        client.send(character);
    }
    client.expect("ih\r\n");
}

#[test]
fn a_uri_without_slashes_is_explained() {
    let mut serve = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    let finished = run(
        serve.args(["serve", "--listen", "telnet:127.0.0.1:2323"]),
        b"",
    );
    assert_eq!(finished.code, Some(2), "{finished:?}");
    assert!(
        finished.stderr.contains("expected telnet://ADDR:PORT"),
        "{finished:?}"
    );
}
