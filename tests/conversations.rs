//! What a conversation can do, over real sockets, with a handler that executes the command in each
//! line.

use crate::fixture::{Client, Host, guest};
use rustix::process::Signal;
use std::io::{ErrorKind, Read};

fn puppet(args: &[&str]) -> Host {
    Host::serve(&[&[guest("puppet").as_str()][..], args].concat())
}

/// A client that was greeted, so its session is open.
fn greeted(host: &Host) -> Client {
    let mut client = host.connect();
    client.expect("ready\n");
    client
}

#[test]
fn it_greets_and_knows_its_peer() {
    let host = puppet(&[]);
    let mut client = greeted(&host);
    let (peer, local) = (client.stream.local_addr().unwrap(), host.address());
    let answer = client.ask("peer");
    for part in [
        "transport: \"tcp\"",
        &format!("\"{peer}\""),
        &format!("\"{local}\""),
        &format!("\"tcp://{local}\""),
    ] {
        assert!(answer.contains(part), "no {part} in {answer}");
    }
    assert_eq!(client.ask("info tls.server-name"), "None");
}

#[test]
fn it_is_told_of_the_half_close_and_may_still_answer() {
    let host = puppet(&[]);
    let mut client = greeted(&host);
    client.send("say one\nsay last");
    client.finish();
    assert_eq!(client.rest(), b"one\nlast\neof\n");
}

#[test]
fn what_a_callback_did_before_it_failed_leaves_no_trace() {
    let host = puppet(&[]);
    for (command, reason) in [
        (
            "fail protocol",
            "closed: the client broke the protocol: as asked",
        ),
        ("fail refused", "closed: the handler refused: as asked"),
        ("fail internal", "closed: the handler failed: as asked"),
        // A kind that the host does not know.
        (
            "fail strange",
            "closed: the handler failed: strange: as asked",
        ),
        (
            "framing nonsense",
            "closed: the handler trapped: expected chunks, lines,",
        ),
        (
            "panic",
            "closed: the handler trapped: wasm `unreachable` instruction executed",
        ),
    ] {
        let mut client = greeted(&host);
        assert_eq!(client.ask("say before"), "before");
        client.send(format!("say during; timer 1 0; {command}; say after\n"));
        client.expect_closed();
        host.wait_for_log(reason);
    }
    let log = host.stop();
    let counted = "broken_protocol=1 refused=1 failures=2 failed_calls=2";
    assert!(log.contains(counted), "{log}");
}

#[test]
fn after_a_close_it_sees_nothing_more() {
    let host = puppet(&[]);
    let mut client = greeted(&host);
    client.send("say one; close; say two\nsay three\npanic\n");
    assert_eq!(client.rest(), b"one\n");
    assert!(!host.stop().contains("trapped"));
}

#[test]
fn a_reset_is_a_reset() {
    let host = puppet(&[]);
    let mut client = greeted(&host);
    client.send("reset\n");
    let error = client.stream.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn timers_fire_are_replaced_and_cancelled() {
    let host = puppet(&[]);
    let mut client = greeted(&host);
    // The second call replaces the first, so the order is that of the new delays.
    client.send("timer 1 600000; timer 1 20; timer 2 1; timer 3 600000; cancel 3\n");
    client.expect("timer 2\ntimer 1\n");
    // No timer is left that would keep the connection open.
    client.finish();
    assert_eq!(client.rest(), b"eof\n");
}

#[test]
fn framing_changes_with_the_next_message_even_if_it_is_buffered() {
    let host = puppet(&[]);
    let mut client = greeted(&host);
    client.send("framing fixed:5\nsay asay b");
    client.expect("a\nb\n");
    client.send("say");
    client.send(" c");
    client.expect("c\n");
}

#[test]
fn it_keeps_pace_with_its_reader() {
    let host = puppet(&["--max-unsent", "512KiB"]);
    let mut client = greeted(&host);
    const SIZE: usize = 20 << 20;
    client.send(format!("flood {SIZE}\n"));
    let mut flood = vec![0; SIZE];
    client.stream.read_exact(&mut flood).unwrap();
    assert_eq!(client.ask("say done"), "done");
    // Bytes queued by the running callback count as well.
    client.send("queue 1000\n");
    client.expect(format!("{}1000\n", "x".repeat(1000)));
}

#[test]
fn a_slow_reader_is_dropped_with_a_reason() {
    let host = puppet(&["--max-unsent", "128KiB"]);
    let mut client = greeted(&host);
    client.send("queue 131073\n");
    client.expect_closed();
    host.wait_for_log(
        "the client reads too slowly: more than 131072 bytes are unsent (--max-unsent)",
    );
}

#[test]
fn in_connection_isolation_a_trap_leaves_neighbours_alone() {
    let host = puppet(&["--call-timeout", "1s"]);
    let mut neighbour = greeted(&host);
    assert_eq!(neighbour.ask("sessions").split(' ').count(), 1);
    for trap in ["panic", "spin"] {
        let mut client = greeted(&host);
        client.send(format!("{trap}\n"));
        client.expect_closed();
        assert_eq!(neighbour.ask("say still here"), "still here");
    }
}

#[test]
fn sessions_of_a_shared_instance_know_each_other_and_end_once() {
    let host = puppet(&["--isolation", "shared"]);
    let (mut one, mut two) = (greeted(&host), greeted(&host));
    assert_eq!(one.ask("sessions"), "1 2");
    one.send("tell 2 hello from one\n");
    two.expect("hello from one\n");
    // Every kind of end drops the session, and drops it once.
    for (number, farewell) in ["close", "reset", "fail protocol", "fail internal", ""]
        .iter()
        .enumerate()
    {
        let mut client = greeted(&host);
        client.send(format!("{farewell}\n"));
        drop(client);
        while one.ask("ended") != (number + 1).to_string() {}
        assert_eq!(one.ask("sessions"), "1 2");
    }
}

#[test]
fn a_session_that_has_paused_hears_nothing_until_another_resumes_it() {
    let host = puppet(&["--isolation", "shared"]);
    let mut waiting = greeted(&host);
    let id = waiting.ask("sessions");
    let mut other = greeted(&host);
    waiting.send("say before; pause\nsay held\n");
    waiting.finish();
    waiting.expect("before\n");
    assert_eq!(other.ask(&format!("tell {id} told; say done")), "done");
    waiting.expect("told\n");
    other.send(format!("resume {id}\n"));
    assert_eq!(waiting.rest(), b"held\neof\n");
}

#[test]
fn a_trap_in_a_shared_instance_ends_its_sessions_and_a_fresh_one_serves_the_next() {
    let host = puppet(&["--isolation", "shared"]);
    for _ in 0..4 {
        let (mut one, mut two) = (greeted(&host), greeted(&host));
        two.send("panic\n");
        two.expect_closed();
        one.expect_closed();
        host.wait_for_log("closed: the shared instance is gone: the handler trapped");
        let mut next = greeted(&host);
        assert_eq!(next.ask("sessions").split(' ').count(), 1);
        assert_eq!(next.ask("ended"), "0");
        drop(next);
    }
    // It happened repeatedly, so the last ones had to wait.
    host.wait_for_log("the next starts in 50ms");
    host.wait_for_log("the next starts in 100ms");
}

#[test]
fn a_spinning_session_of_a_shared_instance_is_given_up() {
    let host = puppet(&["--isolation", "shared", "--call-timeout", "1s"]);
    let (mut one, mut two) = (greeted(&host), greeted(&host));
    two.send("spin\n");
    two.expect_closed();
    one.expect_closed();
    greeted(&host);
}

#[test]
fn a_stop_is_a_goodbye() {
    for isolation in ["connection", "shared"] {
        let mut host = puppet(&["--isolation", isolation, "--drain-timeout", "1h"]);
        let (mut one, mut two) = (greeted(&host), greeted(&host));
        host.process.signal(Signal::TERM);
        for client in [&mut one, &mut two] {
            client.expect("goodbye\n");
            client.expect_closed();
            client.finish();
        }
        assert_eq!(host.process.wait().code(), Some(0));
    }
}
