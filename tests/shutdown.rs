//! SIGINT and SIGTERM: stop accepting, drain under the deadline, exit.

use crate::fixture::{DEADLINE, Host, guest};
use rustix::process::Signal;
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn without_connections_either_signal_stops_at_once() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut host = Host::serve(&["--drain-timeout", "1h"]);
        host.process.signal(signal);
        assert_eq!(host.process.wait().code(), Some(0));
        host.wait_for_log("all connections finished");
    }
}

#[test]
fn open_connections_may_finish_and_new_ones_are_refused() {
    let mut host = Host::serve(&["--drain-timeout", "1h"]);
    let mut client = host.connect();
    client.send("before");
    client.expect("before");
    host.process.signal(Signal::TERM);
    host.wait_for_log("1 connections may finish within 3600s");
    assert!(TcpStream::connect(host.address()).is_err());
    client.send("after");
    client.expect("after");
    client.send("last");
    client.finish();
    assert_eq!(client.rest(), b"last");
    assert_eq!(host.process.wait().code(), Some(0));
}

#[test]
fn what_is_open_at_the_deadline_is_cut() {
    let mut host = Host::serve(&["--drain-timeout", "100ms"]);
    let mut client = host.connect();
    client.send("hello");
    client.expect("hello");
    host.process.signal(Signal::TERM);
    client.expect_closed();
    assert_eq!(host.process.wait().code(), Some(0));
    host.wait_for_log("1 connections were cut (--drain-timeout)");
}

#[test]
fn a_guest_that_computes_for_ever_does_not_outlive_the_deadline() {
    let probe = guest("probe");
    let mut host = Host::serve(&[&probe, "--drain-timeout", "100ms", "--call-timeout", "1h"]);
    let mut client = host.connect();
    assert_eq!(client.ask("count"), "1");
    client.send("spin\n");
    host.process.signal(Signal::INT);
    assert_eq!(host.process.wait().code(), Some(0));
}

#[test]
fn a_second_signal_ends_at_once() {
    for (first, signal, code) in [
        (Signal::TERM, Signal::INT, 130),
        (Signal::INT, Signal::INT, 130),
        (Signal::INT, Signal::TERM, 143),
    ] {
        let mut host = Host::serve(&["--drain-timeout", "1h"]);
        let mut client = host.connect();
        client.send("hello");
        client.expect("hello");
        host.process.signal(first);
        host.wait_for_log("may finish within");
        host.process.signal(signal);
        assert_eq!(host.process.wait().code(), Some(code));
    }
}

/// `timeout` of coreutils signals its child, and then its process group.
#[test]
fn a_second_sigterm_within_a_second_is_the_same_one() {
    let mut host = Host::serve(&["--drain-timeout", "1h"]);
    let mut client = host.connect();
    client.send("hello");
    client.expect("hello");
    host.process.signal(Signal::TERM);
    host.wait_for_log("may finish within");
    let begun = Instant::now();
    host.process.signal(Signal::TERM);
    client.send("hello");
    client.expect("hello");
    // It counts later; the pauses are only for the processor.
    while !host.process.has_ended() {
        assert!(begun.elapsed() < DEADLINE);
        host.process.signal(Signal::TERM);
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(host.process.wait().code(), Some(143));
    assert!(
        begun.elapsed() > Duration::from_millis(900),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn a_stopped_host_leaves_its_port_free() {
    let host = Host::serve(&[]);
    let address = host.address();
    let mut client = host.connect();
    client.send("hello");
    client.expect("hello");
    host.stop();
    let again = Host::serve(&["--listen", &format!("tcp://{address}")]);
    assert_eq!(again.address(), address);
}

#[test]
fn a_hangup_that_was_ignored_stays_ignored() {
    let mut nohup = Command::new("nohup");
    nohup.args([env!("CARGO_BIN_EXE_echo-host"), "serve"]);
    for (mut command, ignored) in [
        (nohup, true),
        (Command::new(env!("CARGO_BIN_EXE_echo-host")), false),
    ] {
        if !ignored {
            command.arg("serve");
        }
        let host = Host::start(&mut command, &[]);
        let path = format!("/proc/{}/status", host.process.id());
        let status = std::fs::read_to_string(path).unwrap();
        let first_of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            u64::from_str_radix(line.unwrap().trim(), 16).unwrap() & 1 == 1
        };
        assert_eq!(
            (first_of("SigIgn:"), first_of("SigCgt:")),
            (ignored, !ignored)
        );
        host.process.signal(Signal::HUP);
        let mut client = host.connect();
        client.send("still here");
        client.expect("still here");
    }
}
