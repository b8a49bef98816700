//! Plain programs, served as inetd did: standard input and output are the connection.

use crate::fixture::{Host, guest};
use rustix::process::Signal;
use std::path::PathBuf;
use tempfile::TempDir;

/// A program whose `run` executes `body`, in a directory that lives as long as needed.
fn program(body: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("program.wat");
    let text = format!(
        r#"(component
             (core module $m (func (export "run") (result i32) {body} (i32.const 0)))
             (core instance $i (instantiate $m))
             (func $run (result (result)) (canon lift (core func $i "run")))
             (instance $e (export "run" (func $run)))
             (export "wasi:cli/run@0.2.0" (instance $e)))"#
    );
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn each_connection_runs_its_own_and_waiting_holds_no_thread() {
    let host = Host::serve(&[&guest("wordcount"), "--workers", "1"]);
    let mut waiting: Vec<_> = (0..20).map(|_| host.connect()).collect();
    for (number, client) in waiting.iter_mut().enumerate() {
        client.send("word ".repeat(number));
    }
    for (number, client) in waiting.iter_mut().enumerate().rev() {
        client.send("\n");
        client.finish();
        let counts = String::from_utf8(client.rest()).unwrap();
        let counts: Vec<_> = counts.split_whitespace().map(str::to_owned).collect();
        assert_eq!(
            counts,
            ["1".into(), number.to_string(), (number * 5 + 1).to_string()]
        );
    }
}

#[test]
fn arguments_are_as_granted_and_standard_error_goes_to_the_log() {
    let host = Host::serve(&[&guest("wordcount"), "--arg", "-w"]);
    let mut client = host.connect();
    client.send("one two\n");
    client.finish();
    assert_eq!(client.rest(), b"2\n");

    let host = Host::serve(&[&guest("wordcount"), "--arg", "--words"]);
    assert_eq!(host.connect().rest(), b"");
    let line = host.wait_for_log("wordcount: unknown option --words: use -l, -w or -c");
    assert!(line.contains("connection{id=1 peer="), "{line}");
    host.wait_for_log("the program exited with an error");
}

#[test]
fn an_exit_ends_the_connection_whatever_the_client_still_sends() {
    let (_folder, program) = program("");
    let host = Host::serve(&[program.to_str().unwrap()]);
    let mut client = host.connect();
    client.send("nobody reads this");
    assert_eq!(client.rest(), b"");
}

#[test]
fn a_program_that_computes_for_too_long_or_traps_is_ended() {
    for (body, reason) in [
        (
            "(loop (br 0))",
            "the handler took longer than 1s (--call-timeout)",
        ),
        (
            "unreachable",
            "the handler trapped: wasm `unreachable` instruction executed",
        ),
    ] {
        let (_folder, program) = program(body);
        let host = Host::serve(&[program.to_str().unwrap(), "--call-timeout", "1s"]);
        host.connect().expect_closed();
        host.wait_for_log(reason);
    }
}

#[test]
fn waiting_is_bounded_by_the_idle_timeout_only() {
    let args = ["--call-timeout", "300ms", "--idle-timeout", "1s"];
    let host = Host::serve(&[&[guest("wordcount").as_str()][..], &args].concat());
    let mut client = host.connect();
    client.send("one\n");
    client.expect_closed();
    host.wait_for_log("no byte moved for 1s (--idle-timeout)");
}

#[test]
fn it_may_finish_while_the_host_drains() {
    let patient = ["--drain-timeout", "1h", "--log-level", "debug"];
    let mut host = Host::serve(&[&[guest("wordcount").as_str()][..], &patient].concat());
    let mut client = host.connect();
    client.send("one two\n");
    // Connections that are not accepted when the host stops are not served.
    host.wait_for_log("connected");
    host.process.signal(Signal::TERM);
    host.wait_for_log("may finish");
    client.send("three\n");
    client.finish();
    assert_eq!(
        String::from_utf8(client.rest())
            .unwrap()
            .split_whitespace()
            .collect::<Vec<_>>(),
        ["2", "3", "14"]
    );
    assert_eq!(host.process.wait().code(), Some(0));
}

#[test]
fn a_client_that_leaves_takes_its_program_along() {
    let host = Host::serve(&[&guest("wordcount"), "--max-connections", "1"]);
    for _ in 0..3 {
        let mut client = host.connect();
        client.send("one\n");
        rustix::net::sockopt::set_socket_linger(&client.stream, Some(std::time::Duration::ZERO))
            .unwrap();
        drop(client);
    }
    // There is one slot, so all of them must be gone.
    let mut client = host.connect();
    client.finish();
    assert_eq!(
        client
            .rest()
            .split(|byte| *byte == b' ')
            .filter(|part| !part.is_empty())
            .count(),
        3
    );
}
