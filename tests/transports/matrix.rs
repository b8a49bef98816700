//! Every handler through every kind of listener, with every framing.

use super::certificates::Authority;
use crate::fixture::{Host, client_python, guest, run, script};
use std::process::Command;

const FRAMINGS: [&str; 10] = [
    "chunks",
    "lines",
    "length-prefixed:2",
    "length-field:2,4,le,adjust=-6",
    "varint",
    "netstring",
    "cobs",
    "slip",
    "delimited:7c7c",
    "fixed:5",
];

/// One host with a listener of each kind, all for one handler.
fn through_every_door(handler: &str, arguments: &[&str]) {
    let authority = Authority::new();
    let files = authority.sign("server", &["localhost"], "localhost");
    for framing in FRAMINGS {
        let unix = format!("unix:{}/{handler}.sock", authority.folder.path().display());
        let mut all = vec![
            "--listen",
            "tcp://127.0.0.1:0",
            "--listen",
            "tcp://[::1]:0",
            "--listen",
            "tls://127.0.0.1:0",
            "--listen",
            &unix,
            "--listen",
            "ws://127.0.0.1:0",
            "--listen",
            "wss://127.0.0.1:0",
            "--listen",
            "telnet://127.0.0.1:0",
            "--listen",
            "udp://127.0.0.1:0",
            "--listen",
            "udp://[::1]:0",
            "--tls-cert",
            &files.certificate,
            "--tls-key",
            &files.key,
            "--framing",
            framing,
            // A chat room sends more to a silent client than the client has sent.
            "--udp-amplification",
            "off",
        ];
        all.extend(arguments);
        let host = Host::serve(&all);
        let mut python = client_python("python");
        python.args([
            &script("every_door.py"),
            handler,
            framing,
            &authority.file(),
        ]);
        let finished = run(python.args(host.uris()), b"");
        assert_eq!(finished.stdout, "9 doors\n", "{framing}: {finished:?}");
    }
}

#[test]
fn echo_goes_through_every_door() {
    through_every_door("echo", &[]);
    through_every_door("echo", &[&guest("echo"), "--isolation", "shared"]);
}

#[test]
fn upper_goes_through_every_door() {
    through_every_door("upper", &[&guest("upper")]);
}

#[test]
fn a_room_has_many_doors() {
    through_every_door("chat", &[&guest("chat"), "--isolation", "shared"]);
}

#[test]
fn standard_input_is_a_door_in_every_framing() {
    for (framing, sent, expected) in [
        ("chunks", "hello", "HELLO"),
        ("lines", "hello\r\nworld\n", "HELLOWORLD"),
        ("length-prefixed:2", "\0\x05hello\0\x05world", "HELLOWORLD"),
        (
            "length-field:1,1,adjust=-2",
            "h\x07helloh\x07world",
            "HELLOWORLD",
        ),
        ("varint", "\x05hello\x05world", "HELLOWORLD"),
        ("netstring", "5:hello,5:world,", "HELLOWORLD"),
        ("cobs", "\x06hello\0\x06world\0", "HELLOWORLD"),
        ("delimited:7c7c", "hello||world||", "HELLOWORLD"),
        ("fixed:5", "helloworld", "HELLOWORLD"),
    ] {
        let mut serve = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        serve.args([
            "serve",
            "--listen",
            "stdio:",
            "--framing",
            framing,
            &guest("upper"),
        ]);
        let finished = run(&mut serve, sent.as_bytes());
        assert_eq!(finished.stdout, expected, "{framing}: {finished:?}");
    }
}
