//! Live traffic of a running host: `echo-host tap`.

use crate::fixture::{Client, DEADLINE, Host, Process, Sender, echo_host, guest, root};
use crate::transports::websocket::Socket;
use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

/// A running `echo-host tap`.
struct Tap(Process);

impl Tap {
    fn start(host: &Host, options: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        command.args(["tap", "--control", &host.control()]);
        let process = Process::start(command.args(options));
        process.stderr.wait_for("tapping: ");
        Tap(process)
    }

    /// Waits until it has shown this many lines, and returns them without the time and the id of
    /// the connection, which must be this one if there is one.
    fn lines(&self, count: usize) -> Vec<String> {
        let text = self.0.stdout.wait_until("enough lines", |text| {
            (text.matches('\n').count() >= count).then(|| text.to_owned())
        });
        text.lines().map(notation).collect()
    }

    /// Stops it, and returns what it has shown.
    fn stop(mut self) -> (String, String) {
        self.0.signal(Signal::INT);
        assert_eq!(self.0.wait().code(), Some(0));
        (self.0.stdout.text(), self.0.stderr.text())
    }
}

/// What a line shows behind the time of day and the id of a connection.
fn notation(line: &str) -> String {
    let parts: Vec<_> = line.splitn(3, "  ").collect();
    let [time, id, notation] = parts[..] else {
        panic!("{line}")
    };
    let shape: String = time
        .chars()
        .map(|char| if char.is_ascii_digit() { '0' } else { char })
        .collect();
    assert_eq!(shape, "00:00:00.000", "{line}");
    assert!(id.parse::<u64>().is_ok(), "{line}");
    notation.to_owned()
}

#[test]
fn traffic_is_shown_in_the_notation_of_exchanges() {
    let host = Host::serve(&[&guest("calc")]);
    let mut before = host.connect();
    before.expect("Type an expression, help or quit.\n> ");
    let tap = Tap::start(&host, &[]);
    before.send("1 + 1\n");
    before.expect("2\n> ");
    let own = before.stream.local_addr().unwrap();
    assert_eq!(
        tap.lines(4),
        [
            format!("== {own} on {}, service main, open before", host.uri()).as_str(),
            "> 1 + 1",
            "< 2",
            "< > \\"
        ]
    );
    let mut fresh = host.connect();
    fresh.expect("Type an expression, help or quit.\n> ");
    fresh.send("2*");
    let own = fresh.stream.local_addr().unwrap();
    tap.lines(8);
    fresh.send("3\n");
    fresh.expect("6\n> ");
    fresh.finish();
    assert_eq!(fresh.rest(), b"");
    assert_eq!(
        tap.lines(13)[4..],
        [
            format!("== {own} on {}, service main", host.uri()).as_str(),
            "< Type an expression, help or quit.",
            "< > \\",
            "> 2*\\",
            "> 3",
            "< 6",
            "< > \\",
            ">eof",
            "<eof",
        ]
    );
}

#[test]
fn only_what_is_meant_is_shown() {
    let host = Host::serve(&["echo"]);
    let mut clients = [
        host.connect(),
        Client::connect_from("127.0.0.2", host.address()),
    ];
    for client in &mut clients {
        client.ask("before");
    }
    let by_peer = Tap::start(&host, &["--peer", "127.0.0.2"]);
    let by_id = Tap::start(&host, &["--connection", "1"]);
    let nobody = Tap::start(&host, &["--connection", "4711"]);
    let all = Tap::start(&host, &["--service", "main"]);
    for (number, client) in clients.iter_mut().enumerate() {
        client.ask(&format!("from {number}"));
    }
    Client::connect_from("127.0.0.2", host.address()).ask("new");
    host.connect().ask("also new");
    all.lines(14);
    for (tap, shown) in [(by_peer, &["from 1", "new"][..]), (by_id, &["from 0"])] {
        tap.lines(3 * shown.len());
        let text = tap.stop().0;
        let sent = text.lines().map(notation);
        let sent: Vec<_> = sent.filter(|it| it.starts_with("> ")).collect();
        let expected: Vec<_> = shown.iter().map(|it| format!("> {it}")).collect();
        assert_eq!(sent, expected, "{text}");
    }
    assert_eq!(nobody.stop().0, "");
    let text = all.stop().0;
    for shown in ["> from 0", "> from 1", "> new", "> also new", "< also new"] {
        assert!(text.contains(shown), "{text}");
    }
    assert!(
        !text.contains("before\n") || text.contains("open before"),
        "{text}"
    );
    let unknown = host.ask(&["tap", "--service", "other"]);
    assert_eq!(unknown.code, Some(69), "{unknown:?}");
}

#[test]
fn what_is_said_is_shown_whatever_carries_it() {
    let host = Host::serve(&[
        &guest("puppet"),
        "--listen",
        "ws://127.0.0.1:0",
        "--listen",
        "udp://127.0.0.1:0",
        "--listen",
        "telnet://127.0.0.1:0",
    ]);
    let addresses = host.addresses();
    let mut early = Socket::open(addresses[0]);
    assert_eq!(early.receive().1, b"ready\n");
    let tap = Tap::start(&host, &[]);
    early.send(0x81, b"say early\n");
    assert_eq!(early.receive().1, b"early\n");
    let shown = tap.lines(3);
    assert_eq!(shown[1..], ["> say early", "< early"]);

    // A message in two frames is one line.
    let mut late = Socket::open(addresses[0]);
    late.send(0x01, b"say ");
    late.send(0x80, b"late\n");
    assert_eq!(late.receive().1, b"ready\n");
    assert_eq!(late.receive().1, b"late\n");
    assert_eq!(tap.lines(7)[4..], ["< ready", "> say late", "< late"]);

    let sender = Sender::to(addresses[1]);
    sender.send("say one\n");
    sender.expect("ready\n");
    sender.expect("one\n");
    sender.send("say two\nsay three\n");
    sender.expect("two\n");
    sender.expect("three\n");
    let shown = [
        "> say one",
        "< ready",
        "< one",
        "> say two\\nsay three",
        "< two",
        "< three",
    ];
    assert_eq!(tap.lines(14)[8..], shown);

    let mut telnet = Client::connect(addresses[2]);
    telnet.send(b"say tel\xff\xf1net\r\n");
    tap.0.stdout.wait_for("> say telnet");
    tap.0.stdout.wait_for("< telnet");
}

#[test]
fn a_program_and_what_others_send_are_shown() {
    let host = Host::serve(&[&guest("wordcount")]);
    let tap = Tap::start(&host, &[]);
    let mut client = host.connect();
    client.send("one two\n");
    client.finish();
    client.rest();
    let counted = "<       1       2       8";
    assert_eq!(tap.lines(5)[1..], ["> one two", ">eof", counted, "<eof"]);

    // What the session of another connection sends, in one shared instance.
    let host = Host::serve(&[&guest("chat"), "--isolation", "shared"]);
    let mut ann = host.connect();
    ann.line();
    let id = host.ask(&["connections", "--json"]).stdout;
    let id: Value = serde_json::from_str(&id).unwrap();
    let tap = Tap::start(&host, &["--connection", &id["id"].to_string()]);
    let mut bob = host.connect();
    bob.line();
    bob.send("hello all\n");
    tap.0.stdout.wait_for("hello all");
    let shown = tap.stop().0;
    assert!(!shown.contains("  > "), "Ann has sent nothing: {shown}");
}

#[test]
fn what_is_written_is_a_test_of_the_handler() {
    let host = Host::serve(&[&guest("calc")]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("live.exchange");
    let file = file.to_str().unwrap();
    let mut before = host.connect();
    before.expect("Type an expression, help or quit.\n> ");
    let tap = Tap::start(&host, &["--write", file]);
    let mut ended = host.connect();
    ended.expect("Type an expression, help or quit.\n> ");
    ended.send("2*3\nquit\n");
    ended.expect("6\n> Goodbye.\n");
    ended.expect_closed();
    drop(ended);
    tap.0.stdout.wait_for("<eof");
    before.send("1 + 1\n");
    before.expect("2\n> ");
    let mut open = host.connect();
    open.expect("Type an expression, help or quit.\n> ");
    open.send("7\n");
    open.expect("7\n> ");
    tap.lines(17);
    let (_, said) = tap.stop();
    assert!(
        said.contains(&format!("3 connections written to {file}")),
        "{said}"
    );
    let written = fs::read_to_string(file).unwrap();
    assert_eq!(
        written,
        "== connection 1, from the middle\n\
         > 1 + 1\n< 2\n< > \\\n\
         \n\
         == connection 2\n\
         < Type an expression, help or quit.\n< > \\\n\
         > 2*3\\nquit\n< 6\n< > Goodbye.\n<eof\n\
         \n\
         == connection 3\n\
         < Type an expression, help or quit.\n< > \\\n\
         > 7\n< 7\n< > \\\n"
    );
    let whole = written.split_once("\n\n").unwrap().1;
    fs::write(file, whole).unwrap();
    let played = echo_host(&["test", &guest("calc"), file]);
    assert_eq!(played.code, Some(0), "{played:?}");
    // It is not written over.
    let again = host.ask(&["tap", "--write", file, "--duration", "1ms"]);
    assert_eq!(again.code, Some(74), "{again:?}");
    assert!(again.stderr.contains("already exists"), "{again:?}");
}

#[test]
fn a_tap_is_logged_and_ends_with_its_client() {
    let host = Host::serve(&["echo"]);
    let mut client = host.connect();
    client.ask("x");
    for signal in [Signal::INT, Signal::KILL] {
        let mut tap = Tap::start(&host, &["--peer", "127.0.0.0/8"]);
        let pid = tap.0.id();
        let who = format!(
            "user {}, process {pid},",
            rustix::process::getuid().as_raw()
        );
        let line = host.wait_for_log(&format!("{who} begins to tap traffic"));
        assert!(line.contains("what=peer 127.0.0.0/8"), "{line}");
        client.ask("y");
        tap.0.stdout.wait_for("> y");
        tap.0.signal(signal);
        tap.0.wait();
        let line = host.wait_for_log(&format!("{who} no longer taps traffic"));
        assert!(line.contains(" dropped=0"), "{line}");
        // What nobody sees is served as before.
        assert_eq!(client.ask("z"), "z");
    }
    let timed = host.ask(&["tap", "--duration", "50ms"]);
    assert_eq!((timed.code, timed.stdout.as_str()), (Some(0), ""));
    // A host that stops ends its taps.
    let mut tap = Tap::start(&host, &[]);
    host.stop();
    assert_eq!(tap.0.wait().code(), Some(0));
    assert!(tap.0.stderr.text().contains("the host has ended"));
}

#[test]
fn whoever_reads_a_tap_slowly_holds_nobody_up() {
    const MESSAGES: usize = 400;
    let host = Host::serve(&["echo", "--framing", "fixed:65536"]);
    let slow = UnixStream::connect(host.control()).unwrap();
    (&slow)
        .write_all(b"{\"version\":1,\"command\":\"tap\"}\n")
        .unwrap();
    let mut lines = BufReader::new(slow.try_clone().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert_eq!(first, "{\"version\":1,\"tapping\":{\"connections\":0}}");
    let mut client = host.connect();
    let message = vec![b'x'; 65536];
    for _ in 0..MESSAGES {
        client.send(&message);
        client.expect(&message);
    }
    assert!(host.usage().resident_kib < 200 << 10);
    drop(client);
    host.wait_for_open(0);
    let (mut shown, mut dropped) = (0, 0);
    let begun = Instant::now();
    'all: for line in lines {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        for entry in line["tapped"].as_array().unwrap() {
            dropped += entry["what"]["dropped"].as_u64().unwrap_or(0);
            shown += usize::from(entry["what"].get("from-client").is_some());
            // The entries at the end were dropped as well.
            if dropped > 0 {
                break 'all;
            }
        }
        assert!(begun.elapsed() < DEADLINE);
    }
    // A queue and the buffers of a socket: far less than was sent.
    assert!(shown > 4 && shown < MESSAGES / 4, "{shown} shown");
    assert!(dropped as usize > MESSAGES, "{dropped} dropped");
    drop(slow);
    let line = host.wait_for_log("no longer taps traffic");
    assert!(!line.contains("dropped=0"), "{line}");
}

#[test]
fn connections_with_gaps_are_not_written() {
    let host = Host::serve(&["echo"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("live.exchange");
    // Nobody reads what it prints, until the host has dropped something.
    let (printed, into) = std::io::pipe().unwrap();
    let mut tap = {
        // It holds its end of the pipe as long as it lives.
        let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        command.args(["tap", "--control", &host.control(), "--write"]);
        Process::start_writing_to(command.arg(&file), into.into(), Stdio::piped())
    };
    tap.stderr.wait_for("tapping: ");
    let mut gap = host.connect();
    let line = "x".repeat(60_000);
    for _ in 0..100 {
        assert_eq!(gap.ask(&line), line);
    }
    drop(gap);
    host.wait_for_open(0);
    let mut printed = BufReader::new(printed);
    let mut line = String::new();
    while !line.ends_with("entries dropped: this tap is read too slowly\n") {
        line.clear();
        assert!(printed.read_line(&mut line).unwrap() > 0);
    }
    let reader = thread::spawn(move || std::io::copy(&mut printed, &mut std::io::sink()));
    let mut whole = host.connect();
    assert_eq!(whole.ask("after"), "after");
    drop(whole);
    host.wait_for_open(0);
    host.stop();
    assert_eq!(tap.wait().code(), Some(0));
    reader.join().unwrap().unwrap();
    let said = tap.stderr.text();
    assert!(said.contains("left out 1 connection with gaps"), "{said}");
    let written = fs::read_to_string(&file).unwrap();
    assert!(written.contains("> after\n< after\n"), "{written}");
    assert!(!written.contains("xxx"), "it has gaps");
}

#[test]
fn what_clients_and_guests_send_cannot_command_a_terminal() {
    let host = Host::serve(&["echo", "--framing", "chunks"]);
    let tap = Tap::start(&host, &[]);
    let mut client = host.connect();
    let evil = "\x1b[2J\x1b]0;title\x07 \u{9b}31m \u{202e}txt\r\n== connection 9\n";
    client.send(evil);
    client.expect(evil);
    client.send([0xff, 0x1b, 0x9b]);
    client.expect([0xff, 0x1b, 0x9b]);
    client.finish();
    client.rest();
    tap.0.stdout.wait_for("<eof");
    let shown = tap.stop().0;
    let is_plain = |char: char| !char.is_control() && char != '\u{202e}' || char == '\n';
    assert!(shown.chars().all(is_plain), "{shown:?}");
    assert!(shown.contains(">hex ff 1b 9b"), "{shown}");
    for line in shown.lines() {
        notation(line);
    }
}

#[test]
fn taps_do_not_take_the_control_socket_from_others() {
    let host = Host::serve(&["echo"]);
    let taps: Vec<_> = (0..8).map(|_| Tap::start(&host, &[])).collect();
    let refused = host.ask(&["tap"]);
    assert_eq!(refused.code, Some(69), "{refused:?}");
    assert!(
        refused.stderr.contains("8 taps are open already"),
        "{refused:?}"
    );
    let mut client = host.connect();
    client.ask("all see it");
    for tap in &taps {
        tap.0.stdout.wait_for("> all see it");
    }
    drop(taps);
    let deadline = Instant::now() + DEADLINE;
    while host.ask(&["tap", "--duration", "1ms"]).code != Some(0) {
        assert!(Instant::now() < deadline, "the places are not given back");
    }
    assert_eq!(client.ask("served"), "served");
}

#[test]
fn a_reader_that_has_seen_enough_ends_a_tap() {
    let host = Host::serve(&["echo"]);
    let script = format!(
        "{} tap --control {} | head -n 2",
        env!("CARGO_BIN_EXE_echo-host"),
        host.control()
    );
    let mut shell = Process::start(Command::new("sh").args(["-c", &script]));
    shell.stderr.wait_for("tapping: ");
    let mut client = host.connect();
    while !shell.has_ended() {
        client.ask("more");
    }
    assert_eq!(shell.stdout.text().lines().count(), 2);
}

#[test]
fn the_session_of_the_page_looks_as_shown() {
    let page = fs::read_to_string(root().join("docs/operate/connections.md")).unwrap();
    let (_, shown) = page.split_once("```console\n$ echo-host tap\n").unwrap();
    let shown = shown.split("```").next().unwrap().lines().skip(1);
    let shown: Vec<_> = shown.map(notation).collect();
    let host = Host::serve(&[&guest("calc")]);
    let greeting = "Type an expression, help or quit.\n> ";
    let mut before = host.connect();
    before.expect(greeting);
    let tap = Tap::start(&host, &[]);
    before.send("1 + 1\n");
    before.expect("2\n> ");
    let mut fresh = host.connect();
    fresh.expect(greeting);
    fresh.send("2*3\n");
    fresh.expect("6\n> ");
    fresh.finish();
    fresh.rest();
    let seen = tap.lines(shown.len()).into_iter().map(|line| {
        let line = line.replace(host.uri(), "tcp://127.0.0.1:8888");
        let own = |client: &Client| client.stream.local_addr().unwrap().to_string();
        let line = line.replace(&own(&before), "127.0.0.1:40102");
        line.replace(&own(&fresh), "127.0.0.1:40112")
    });
    assert_eq!(seen.collect::<Vec<_>>(), shown);
}
