//! Hundreds of signals, in every phase of a host's life.

use crate::fixture::{Client, Host, Process, guest};
use rustix::process::Signal;
use std::process::Command;

/// A component that takes a while to compile: a few thousand functions.
pub fn large_handler() -> Vec<u8> {
    let functions: String = (0..20_000)
        .map(|number| {
            format!(
                "(func (param i32) (result i32) (local i32)
                   (loop (local.set 1 (i32.add (local.get 1) (i32.mul (local.get 0) (i32.const {number}))))
                     (br_if 0 (i32.lt_u (local.get 1) (i32.const 99))))
                   (local.get 1))"
            )
        })
        .collect();
    let text = format!(
        "(component
           (core module $m
             (memory (export \"memory\") 1)
             (func (export \"respond\") (param i32 i32) (result i32) (i32.const 0))
             (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 16))
             {functions})
           (core instance $i (instantiate $m))
           (func (export \"respond\") (param \"message\" (list u8)) (result (list u8))
             (canon lift (core func $i \"respond\") (memory $i \"memory\")
               (realloc (func $i \"cabi_realloc\")))))"
    );
    wat::parse_str(text).unwrap()
}

#[test]
fn a_host_that_is_still_loading_stops_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let handler = folder.path().join("large.wasm");
    std::fs::write(&handler, large_handler()).unwrap();
    for signal in [Signal::INT, Signal::TERM] {
        let mut host = Process::start(
            Command::new(env!("CARGO_BIN_EXE_echo-host"))
                .args(["serve", "--cache", "off", "--listen", "tcp://127.0.0.1:0"])
                .args(["--log-level", "debug"])
                .arg(&handler),
        );
        host.stderr.wait_for("loading");
        // This signal does not end it.
        host.signal(Signal::HUP);
        host.signal(signal);
        assert_eq!(host.wait().code(), Some(0));
        host.stderr.wait_for("stopped before serving");
        assert_eq!(host.stdout.text(), "");
    }
}

#[test]
fn hangups_by_the_hundred_disturb_nobody() {
    let host = Host::serve(&[&guest("reverse")]);
    let mut client = host.connect();
    for number in 0..300 {
        host.process.signal(Signal::HUP);
        assert_eq!(client.ask("hello"), "olleh");
        if number % 50 == 0 {
            assert_eq!(host.connect().ask("visitor"), "rotisiv");
        }
    }
    host.wait_for_log("is already being served");
    let log = host.stop();
    assert!(!log.contains("ERROR"), "{log}");
}

#[test]
fn a_draining_host_takes_no_notice_of_hangups() {
    let mut host = Host::serve(&[&guest("reverse"), "--drain-timeout", "1h"]);
    let mut client = host.connect();
    assert_eq!(client.ask("before"), "erofeb");
    for _ in 0..100 {
        host.process.signal(Signal::HUP);
    }
    host.process.signal(Signal::TERM);
    host.wait_for_log("may finish within");
    for _ in 0..100 {
        host.process.signal(Signal::HUP);
    }
    assert_eq!(client.ask("after"), "retfa");
    client.finish();
    client.expect_closed();
    assert_eq!(host.process.wait().code(), Some(0));
}

#[test]
fn a_storm_of_stop_signals_ends_at_once() {
    let mut host = Host::serve(&["--drain-timeout", "1h"]);
    let mut client: Client = host.connect();
    client.send("hello");
    client.expect("hello");
    host.process.signal(Signal::TERM);
    host.wait_for_log("may finish within");
    for _ in 0..100 {
        host.process.signal(Signal::INT);
        host.process.signal(Signal::TERM);
    }
    let code = host.process.wait().code();
    assert!([Some(130), Some(143)].contains(&code), "{code:?}");
}
