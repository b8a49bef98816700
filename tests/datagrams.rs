//! UDP: each datagram is a message, each sender has a session, and the host cannot be used to flood
//! others.

use crate::fixture::{
    Client, DEADLINE, Finished, Host, Process, Sender, echo_host, guest, run, tool,
};
use crate::swap::post::Post;
use crate::swap::versions::{counter, signer};
use rustix::process::Signal;
use std::fs;
use std::io::{ErrorKind, Write};
use std::net::UdpSocket;
use std::process::Command;
use std::time::{Duration, Instant};

const ON_UDP: [&str; 2] = ["--listen", "udp://127.0.0.1:0"];
const ANY_LENGTH: [&str; 2] = ["--udp-amplification", "off"];

fn serve(handler: &str, args: &[&str]) -> Host {
    let handler = guest(handler);
    Host::serve(&[&[handler.as_str()], &ON_UDP[..], args].concat())
}

fn sender(host: &Host) -> Sender {
    Sender::to(host.address())
}

/// Our client with this input.
fn connect(uri: &str, input: &[u8], options: &[&str]) -> Finished {
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    command.args(["connect", uri, "--wait", "300ms"]);
    run(command.args(options), input)
}

#[test]
fn datagrams_of_every_length_come_back_whole() {
    let both = ["--listen", "udp://127.0.0.1:0", "--listen", "udp://[::1]:0"];
    let host = Host::serve(&both);
    for address in host.addresses() {
        let sender = Sender::to(address);
        for length in [0, 1, 2, 14, 1472, 1473, 8192, 65_507] {
            let datagram: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            sender.send(&datagram);
            assert_eq!(sender.receive(), datagram);
        }
    }
}

#[test]
fn the_component_is_told_how_it_is_reached_and_is_otherwise_the_same() {
    let also_tcp = ["--listen", "tcp://127.0.0.1:0"];
    let host = serve("puppet", &[also_tcp, ANY_LENGTH].concat());
    let sender = sender(&host);
    sender.send("peer\n");
    sender.expect("ready\n");
    let (peer, local) = (sender.socket.local_addr().unwrap(), host.address());
    let said = String::from_utf8(sender.receive()).unwrap();
    for part in [
        "transport: \"udp\"",
        &format!("\"{peer}\""),
        &format!("\"{local}\""),
        host.uri(),
    ] {
        assert!(said.contains(part), "no {part} in {said}");
    }
    let mut client = Client::connect(host.addresses()[1]);
    client.expect("ready\n");
    assert!(client.ask("peer").contains("transport: \"tcp\""));
}

#[test]
fn nc_gets_its_echo() {
    let host = Host::serve(&ON_UDP);
    let port = host.address().port().to_string();
    let mut nc = Process::start(tool("nc").args(["-u", "127.0.0.1", &port]));
    nc.stdin()
        .as_mut()
        .unwrap()
        .write_all(b"Hello, server!\n")
        .unwrap();
    nc.stdout.wait_for("Hello, server!");
}

#[test]
fn a_datagram_is_cut_into_messages_and_each_reply_is_a_datagram() {
    let host = serve("reverse", &[]);
    let sender = sender(&host);
    sender.send("one\r\ntwo\n\nlast");
    for reply in ["eno\n", "owt\n", "\n", "tsal\n"] {
        sender.expect(reply);
    }
    sender.send("next");
    sender.expect("txen\n");
}

#[test]
fn a_broken_datagram_is_dropped_and_its_sender_is_not() {
    let args = [
        "--framing",
        "length-prefixed:2",
        "--max-message",
        "8B",
        "--log-level",
        "debug",
    ];
    let host = serve("upper", &args);
    let sender = sender(&host);
    for broken in [&b"\0\x05abc"[..], b"\0", b"\0\x09too long!"] {
        sender.send(broken);
        sender.send(b"\0\x02hi\0\x01x");
        sender.expect("HI");
        sender.expect("X");
    }
    host.wait_for_log("dropped the rest of a datagram: the stream ended 5 bytes into a message");
    host.wait_for_log("dropped the rest of a datagram: a message is longer than the limit of 8");
    let log = host.stop();
    assert!(log.contains("connections=1 "), "{log}");
}

#[test]
fn without_framing_a_datagram_is_never_cut() {
    let host = Host::serve(
        &[
            &ON_UDP[..],
            &["--max-message", "10B", "--log-level", "debug"],
        ]
        .concat(),
    );
    let sender = sender(&host);
    sender.send("eleven more");
    assert_eq!(sender.ask("ten at all"), "ten at all");
    host.wait_for_log("a message is longer than the limit of 10 bytes");
}

#[test]
fn what_one_callback_sends_is_one_datagram() {
    let host = serve(
        "puppet",
        &["--isolation", "shared", "--udp-amplification", "off"],
    );
    let (one, two) = (sender(&host), sender(&host));
    assert_eq!(one.ask("nothing"), "ready");
    one.receive();
    let numbers = [&one, &two].map(|sender| {
        sender.send("sessions");
        let said = String::from_utf8(sender.receive()).unwrap();
        if said == "ready\n" {
            return String::from_utf8(sender.receive()).unwrap();
        }
        said
    });
    let other = numbers[1].split_whitespace().next_back().unwrap();
    // A datagram to another client in between does not split it.
    one.send(format!("say a; tell {other} b; say c; tell {other} d"));
    one.expect("a\nc\n");
    two.expect("b\nd\n");
    // Two callbacks are two datagrams, however close together.
    one.send("say a\nsay c");
    one.expect("a\n");
    one.expect("c\n");
    // Datagrams after the end are not sent.
    one.send("say a; close; say c");
    one.expect("a\n");
    assert_eq!(one.ask("nothing"), "ready");
}

#[test]
fn each_sender_has_a_session_of_its_own() {
    let host = serve("counter", &[]);
    let (one, two) = (sender(&host), sender(&host));
    for count in 1..4 {
        assert_eq!(one.ask("x"), format!("v1 {count} x"));
        assert_eq!(two.ask("y"), format!("v1 {count} y"));
    }
    assert_eq!(sender(&host).ask("z"), "v1 1 z");
}

#[test]
fn the_silent_lose_their_session() {
    let host = serve(
        "counter",
        &["--udp-idle-timeout", "50ms", "--log-level", "debug"],
    );
    let sender = sender(&host);
    assert_eq!(sender.ask("x"), "v1 1 x");
    host.wait_for_log("closed received_bytes=1 sent_bytes=7 messages=1");
    assert_eq!(sender.ask("x"), "v1 1 x");
}

#[test]
fn a_session_that_closes_begins_anew() {
    let host = serve("calc", &ANY_LENGTH);
    let sender = sender(&host);
    for _ in 0..2 {
        sender.send("ans = 20 + 1\nans * 2\nquit\n40 + 1");
        let mut said = String::new();
        while !said.contains("Goodbye") {
            said += &String::from_utf8(sender.receive()).unwrap();
        }
        // Datagrams after the end are not delivered.
        assert!(!said.contains("41"), "{said}");
    }
}

#[test]
fn no_more_senders_are_served_than_may_be() {
    for (limit, said) in [
        (
            ["--udp-max-sessions", "2"],
            "session limit reached (--udp-max-sessions)",
        ),
        (
            ["--max-connections-per-ip", "2"],
            "session limit of the address reached (--max-connections-per-ip)",
        ),
    ] {
        let host = serve("puppet", &[&limit[..], &ANY_LENGTH].concat());
        let senders = [sender(&host), sender(&host), sender(&host)];
        for sender in &senders[..2] {
            assert_eq!(sender.ask("say me"), "ready");
            sender.expect("me\n");
        }
        senders[2].send("say me");
        host.wait_for_log(said);
        senders[2].expect_nothing();
        // The others are still served, and one of them leaves.
        assert_eq!(senders[0].ask("say still"), "still");
        assert_eq!(senders[1].ask("say bye; close"), "bye");
        let deadline = Instant::now() + DEADLINE;
        let third = &senders[2].socket;
        third
            .set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        while !third.recv(&mut [0; 64]).is_ok_and(|length| length == 6) {
            assert!(
                Instant::now() < deadline,
                "the permit was not given to the next"
            );
            third.send(b"say me").unwrap();
        }
        let log = host.stop();
        assert!(log.contains("dropped datagrams"), "{log}");
    }
}

#[test]
fn nobody_is_sent_much_more_than_came() {
    let host = serve("probe", &[]);
    let one = sender(&host);
    // With 28 bytes of headers each way, three times 8 + 28 leave 80, line ending included.
    one.send("reply 80");
    host.wait_for_log("dropped a reply of 81 bytes: amplification limit reached");
    one.expect_nothing();
    assert_eq!(sender(&host).ask("reply 79").len(), 79);
    // The unused allowance carries over.
    assert_eq!(one.ask("reply 80").len(), 80);
    let log = host.stop();
    assert!(log.contains("amplification=1"), "{log}");
}

#[test]
fn who_may_be_sent_anything_is() {
    let host = serve("probe", &ANY_LENGTH);
    assert_eq!(sender(&host).ask("reply 60000").len(), 60_000);
    let host = serve("probe", &["--udp-amplification", "1000"]);
    assert_eq!(sender(&host).ask("reply 30000").len(), 30_000);
}

#[test]
fn a_reply_that_is_too_long_for_a_datagram_is_not_sent() {
    let host = serve("probe", &ANY_LENGTH);
    let sender = sender(&host);
    sender.send("reply 65508");
    host.wait_for_log("dropped a reply of 65509 bytes: a datagram carries at most 65507");
    assert_eq!(sender.ask("reply 65506").len(), 65_506);
}

#[test]
fn services_that_answer_everything_are_not_answered() {
    let host = Host::serve(&[&ON_UDP[..], &["--log-level", "debug"]].concat());
    for port in [7, 13, 17, 19] {
        let socket = match UdpSocket::bind(("127.0.0.1", port)) {
            Ok(socket) => socket,
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                eprintln!("skipped: this user may not bind port {port}");
                return;
            }
            Err(error) => panic!("port {port}: {error}"),
        };
        socket.send_to(b"hello?", host.address()).unwrap();
        host.wait_for_log(&format!("peer=127.0.0.1:{port}"));
        // Later datagrams are answered, so this one would have been as well.
        assert_eq!(sender(&host).ask("hello"), "hello");
        socket.set_nonblocking(true).unwrap();
        let received = socket.recv(&mut [0; 64]);
        assert_eq!(received.unwrap_err().kind(), ErrorKind::WouldBlock);
    }
    let log = host.stop();
    assert!(log.contains("unanswered_port=4"), "{log}");
}

#[test]
fn a_trap_ends_the_session_of_its_sender_only() {
    let host = serve("probe", &ANY_LENGTH);
    let (one, two) = (sender(&host), sender(&host));
    assert_eq!(
        (one.ask("count"), two.ask("count")),
        ("1".into(), "1".into())
    );
    one.send("panic now");
    host.wait_for_log("closed: the handler trapped");
    assert_eq!(two.ask("count"), "2");
    assert_eq!(one.ask("count"), "1");
}

#[test]
fn senders_and_connections_meet_in_one_room() {
    let host = serve(
        "chat",
        &[
            "--listen",
            "tcp://127.0.0.1:0",
            "--isolation",
            "shared",
            "--udp-amplification",
            "off",
        ],
    );
    let senders = [sender(&host), sender(&host)];
    let hear = |sender: &Sender, wanted: &str| {
        while sender.receive() != wanted.as_bytes() {}
    };
    for (sender, name) in senders.iter().zip(["ada", "bob"]) {
        sender.send(format!("/nick {name}\n"));
        hear(sender, &format!("* you are {name} now\n"));
    }
    let mut eve = Client::connect(host.addresses()[1]);
    eve.send("/nick eve\n");
    while eve.line() != "* you are eve now" {}
    senders[0].send("hello");
    hear(&senders[1], "ada: hello\n");
    while eve.line() != "ada: hello" {}
    eve.send("good evening\n");
    for sender in &senders {
        hear(sender, "eve: good evening\n");
    }
}

#[test]
fn what_is_open_at_a_swap_goes_on_as_told() {
    let post = Post::serve(
        signer("v1"),
        &[&ON_UDP[..], &["--framing", "lines"]].concat(),
    );
    let before = sender(&post.host);
    assert_eq!(before.ask("x"), "v1 x");
    post.swap_to(signer("v2"));
    assert_eq!(before.ask("y"), "v1 y");
    assert_eq!(sender(&post.host).ask("y"), "v2 y");

    let at_once = ["--framing", "lines", "--swap", "next-message"];
    let post = Post::serve(signer("v1"), &[&ON_UDP[..], &at_once].concat());
    let (one, two) = (sender(&post.host), sender(&post.host));
    for version in 1..20 {
        assert_eq!(one.ask("x"), format!("v{version} x"));
        assert_eq!(two.ask("y"), format!("v{version} y"));
        post.swap_to(signer(&format!("v{}", version + 1)));
    }

    let post = Post::serve(
        counter("v1"),
        &[&ON_UDP[..], &["--swap", "migrate"]].concat(),
    );
    let sender = sender(&post.host);
    assert_eq!(sender.ask("x"), "v1 1 x");
    post.swap_to(counter("v2"));
    assert_eq!(sender.ask("y"), "v2 2 y");
}

#[test]
fn whoever_stays_with_an_old_version_too_long_begins_anew_with_the_new_one() {
    let post = Post::serve(
        counter("v1"),
        &[&ON_UDP[..], &["--drain-timeout", "50ms"]].concat(),
    );
    let sender = sender(&post.host);
    assert_eq!(sender.ask("x"), "v1 1 x");
    post.swap_to(counter("v2"));
    post.wait_until("all of the old version gone", |status| {
        status["connections"]["open"] == 0
    });
    sender.expect("v1 goodbye after 1\n");
    assert_eq!(sender.ask("y"), "v2 1 y");
}

#[test]
fn a_program_reads_a_stream_and_is_not_served() {
    let refused = echo_host(&[&["serve", &guest("wordcount")], &ON_UDP[..]].concat());
    assert_eq!(refused.code, Some(78), "{refused:?}");
    assert_eq!(refused.stdout, "");
    let why = "a program reads a stream and cannot be served on udp://127.0.0.1:0";
    assert!(refused.stderr.contains(why), "{refused:?}");

    let post = Post::serve(
        signer("v1"),
        &[&ON_UDP[..], &["--framing", "lines"]].concat(),
    );
    let refused = post.swap(&guest("wordcount")).unwrap_err();
    assert!(
        refused["reason"]
            .as_str()
            .unwrap()
            .contains("a program, which reads a stream"),
        "{refused}"
    );
    assert_eq!(sender(&post.host).ask("x"), "v1 x");
}

#[test]
fn conversations_say_goodbye_when_the_host_stops() {
    let mut host = serve("calc", &ANY_LENGTH);
    let sender = sender(&host);
    sender.send("1 + 1");
    while !sender.receive().starts_with(b"2") {}
    host.process.signal(Signal::TERM);
    while !String::from_utf8(sender.receive())
        .unwrap()
        .contains("The server is stopping. Goodbye.")
    {}
    assert_eq!(host.process.wait().code(), Some(0));
    assert!(!host.process.stderr.text().contains("were cut"));
}

#[test]
fn our_own_client_talks_to_it() {
    let host = Host::serve(&ON_UDP);
    let uri = host.uri();
    let finished = connect(uri, b"one\ntwo\nlast", &[]);
    assert_eq!(
        (finished.code, finished.stdout.as_str()),
        (Some(0), "one\ntwo\nlast")
    );
    let finished = connect(&uri.replace("127.0.0.1", "localhost"), b"AB\nC", &["--hex"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let rows: Vec<_> = finished.stdout.lines().collect();
    assert_eq!(rows.len(), 2, "{finished:?}");
    assert!(
        rows[0].starts_with("00000000  41 42 0a") && rows[1].starts_with("00000000  43"),
        "{rows:?}"
    );
    let finished = connect(uri, &[b'x'; 70_000], &[]);
    assert_eq!(finished.code, Some(74), "{finished:?}");
    assert!(
        finished
            .stderr
            .contains("longer than a datagram can carry (65507 bytes)"),
        "{finished:?}"
    );
}

#[test]
fn our_own_client_says_when_nobody_is_there() {
    let nobody = {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.local_addr().unwrap()
    };
    let finished = connect(&format!("udp://{nobody}"), b"hello\n", &[]);
    assert_eq!(finished.code, Some(69), "{finished:?}");
    assert!(
        finished.stderr.contains("cannot connect to udp://"),
        "{finished:?}"
    );
}

#[test]
fn a_storm_of_senders_leaves_nothing_behind() {
    let args = [
        "--udp-idle-timeout",
        "100ms",
        "--udp-max-sessions",
        "100",
        "--framing",
        "lines",
    ];
    let post = Post::serve(signer("v1"), &[&ON_UDP[..], &args].concat());
    let storm = || {
        let senders: Vec<_> = (0..500).map(|_| sender(&post.host)).collect();
        for round in 0..4 {
            for sender in &senders {
                sender.send(format!("{round} {}", "x".repeat(1000)));
            }
        }
        post.wait_until("over", |status| status["connections"]["open"] == 0);
    };
    // Until every slot for instances was used.
    for _ in 0..5 {
        storm();
    }
    let served = || post.status()["connections"]["total"].as_u64().unwrap();
    let (before, served_before) = (post.usage(), served());
    for _ in 0..5 {
        storm();
    }
    let after = post.usage();
    assert!(served() >= served_before + 100);
    assert_eq!(after.threads, before.threads);
    // A client of the control socket may be closing.
    assert!(
        after.descriptors <= before.descriptors + 2,
        "{before:?} {after:?}"
    );
    assert!(
        after.resident_kib < before.resident_kib + 8192,
        "{before:?} {after:?}"
    );
    assert_eq!(sender(&post.host).ask("x"), "v1 x");
}

#[test]
fn a_host_takes_datagrams_over_from_another() {
    let folder = tempfile::tempdir().unwrap();
    let control = folder.path().join("host.sock");
    let control = ["--control", control.to_str().unwrap()];
    let handler = folder.path().join("handler");
    fs::write(&handler, counter("v1")).unwrap();
    let handler = handler.to_str().unwrap();
    let mut old = Host::serve(&[&[handler], &ON_UDP[..], &control].concat());
    let sender = sender(&old);
    assert_eq!(sender.ask("x"), "v1 1 x");
    // Its own options are valid in all other respects, so the handler must support datagrams.
    let takeover = ["serve", &guest("wordcount"), "--takeover"];
    let refused = echo_host(&[&takeover[..], &control].concat());
    assert_eq!(refused.code, Some(78), "{refused:?}");
    assert_eq!(sender.ask("x"), "v1 2 x");
    fs::write(handler, counter("v2")).unwrap();
    let new = Host::serve(&[&[handler, "--takeover"], &control[..]].concat());
    assert_eq!(new.uri(), old.uri());
    assert_eq!(old.process.wait().code(), Some(0));
    sender.expect("v1 goodbye after 2\n");
    assert_eq!(sender.ask("y"), "v2 1 y");
}

#[test]
fn a_wrong_address_of_this_kind_is_told_apart() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let uri = format!("udp://{}", taken.local_addr().unwrap());
    let refused = echo_host(&["serve", "--listen", &uri]);
    assert_eq!(refused.code, Some(69), "{refused:?}");
    assert!(
        refused.stderr.contains("address already in use"),
        "{refused:?}"
    );
}
