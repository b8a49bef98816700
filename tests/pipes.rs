//! Commands between pipes: readers that leave, components that come from a pipe, odd paths and odd
//! descriptors.

use crate::fixture::{Finished, Host, echo_host, guest, run};
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::process::{Command, Stdio};
use std::thread;
use tempfile::TempDir;

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    command.args(args);
    command
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let failing = TempDir::new().unwrap();
    let exchange = failing.path().join("a.exchange");
    fs::write(&exchange, "> a\n< b\n").unwrap();
    let exchange = exchange.to_str().unwrap();
    for (args, code) in [
        (&["demos"][..], 0),
        (&["check", "hello"], 0),
        (&["check", "--schema"], 0),
        (&["call", "upper", "abc"], 0),
        (&["completions", "bash"], 0),
        (&["man"], 0),
        // The exit code stays the answer.
        (&["test", "upper", exchange], 65),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = command(args)
            .stdout(OwnedFd::from(writer))
            .stderr(Stdio::piped())
            .spawn();
        let finished = child.unwrap().wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&finished.stderr);
        assert_eq!(finished.status.code(), Some(code), "{args:?}: {said}");
        assert!(!said.contains("roken pipe"), "{args:?}: {said}");
    }
}

#[test]
fn a_component_may_come_from_a_pipe_or_standard_input() {
    let upper = fs::read(guest("upper")).unwrap();
    let called = run(&mut command(&["call", "-", "abc"]), &upper);
    assert_eq!(called.stdout, "ABC", "{called:?}");
    let checked = run(&mut command(&["check", "-"]), &upper);
    assert!(
        checked.stdout.starts_with("standard input can be served\n"),
        "{checked:?}"
    );
    let both = run(&mut command(&["call", "-"]), &upper);
    assert_eq!(both.code, Some(2), "{both:?}");
    assert!(
        both.stderr.contains("cannot both come from standard input"),
        "{both:?}"
    );
    let empty = run(&mut command(&["check", "-"]), b"");
    assert_eq!(empty.code, Some(65), "{empty:?}");
    assert!(empty.stderr.contains("handler -: is empty"), "{empty:?}");

    let folder = TempDir::new().unwrap();
    let fifo = folder.path().join("fifo");
    let made = run(Command::new("mkfifo").arg(&fifo), b"");
    assert_eq!(made.code, Some(0), "{made:?}");
    let into = fifo.clone();
    let writer = thread::spawn(move || fs::write(into, upper).unwrap());
    let called = echo_host(&["call", fifo.to_str().unwrap(), "abc"]);
    writer.join().unwrap();
    assert_eq!(called.stdout, "ABC", "{called:?}");
    // A host reads its handler again, and waits for nobody.
    let refused = echo_host(&[
        "serve",
        fifo.to_str().unwrap(),
        "--listen",
        "tcp://127.0.0.1:0",
    ]);
    assert_eq!(refused.code, Some(65), "{refused:?}");
    assert!(
        refused.stderr.contains("is not a regular file"),
        "{refused:?}"
    );
}

#[test]
fn paths_need_not_be_text() {
    let folder = TempDir::new().unwrap();
    let name = OsString::from_vec(b"h\xe4ndler.wasm".to_vec());
    let path = folder.path().join(name);
    fs::copy(guest("upper"), &path).unwrap();
    let called: Finished = run(command(&["call"]).arg(&path).arg("abc"), b"");
    assert_eq!(called.stdout, "ABC", "{called:?}");
    let checked = run(command(&["check"]).arg(&path), b"");
    assert_eq!(checked.code, Some(0), "{checked:?}");
    let host = Host::start(command(&["serve"]).arg(&path), &[]);
    let mut client = host.connect();
    client.send("abc");
    client.expect("ABC");
}

#[test]
fn a_name_of_a_file_forges_no_line() {
    let folder = TempDir::new().unwrap();
    let name = "x\n2026 INFO forged\r\u{1b}[2J.wasm";
    let path = folder.path().join(name);
    fs::copy(guest("upper"), &path).unwrap();
    let host = Host::start(command(&["serve"]).arg(&path), &[]);
    let log = host.stop();
    let shown = "x\\n2026 INFO forged\\r\\u{1b}[2J.wasm";
    assert!(log.contains(shown), "{log}");
    let checked = run(command(&["check"]).arg(&path), b"");
    assert!(checked.stdout.contains(shown), "{checked:?}");
    assert!(!checked.stdout.contains('\u{1b}'), "{checked:?}");
}

#[test]
fn a_configuration_is_no_pipe() {
    let folder = TempDir::new().unwrap();
    let fifo = folder.path().join("echo-host.toml");
    let made = run(Command::new("mkfifo").arg(&fifo), b"");
    assert_eq!(made.code, Some(0), "{made:?}");
    let refused = echo_host(&["check", "--config", fifo.to_str().unwrap()]);
    assert_eq!(refused.code, Some(78), "{refused:?}");
    assert!(refused.stderr.contains("it is a pipe"), "{refused:?}");
}

#[test]
fn a_socket_without_a_client_is_no_standard_input() {
    let listening = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    for (socket, what) in [
        (
            OwnedFd::from(listening),
            "standard input is a listening socket",
        ),
        (OwnedFd::from(udp), "standard input is a UDP socket"),
    ] {
        let child = command(&["serve", "--listen", "stdio:", "--no-control"])
            .stdin(socket)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let finished = child.unwrap().wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&finished.stderr);
        assert_eq!(finished.status.code(), Some(69), "{said}");
        let mut lines = said.lines();
        assert!(lines.next().unwrap().contains(what), "{said}");
        assert!(lines.next().unwrap().starts_with("hint: "), "{said}");
        assert_eq!(lines.next(), None, "{said}");
    }
}

#[test]
fn a_component_that_is_cut_short_is_refused() {
    let upper = fs::read(guest("upper")).unwrap();
    let mut child = command(&["check", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(&upper[..1000])
        .unwrap();
    let finished = child.wait_with_output().unwrap();
    assert_eq!(finished.status.code(), Some(65));
}
