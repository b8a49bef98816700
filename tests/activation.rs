//! Sockets that systemd has opened for the host. Python stands for systemd: it can become the host, as the
//! variable that tells whose the sockets are wants it.

use crate::fixture::{Host, Sender};
use std::process::Command;

/// Binds a socket, moves it to descriptor 3, and becomes the host.
const ACTIVATE: &str = "
import os, socket, sys
kind = sys.argv[1]
sock = socket.socket(type=socket.SOCK_DGRAM if kind == 'datagrams' else socket.SOCK_STREAM)
sock.bind(('127.0.0.1', 0))
if kind == 'listening': sock.listen()
os.dup2(sock.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
";

fn activated(kind: &str) -> Command {
    let mut command = Command::new("python3");
    command.args(["-c", ACTIVATE, kind, env!("CARGO_BIN_EXE_echo-host")]);
    command.arg("serve");
    command
}

#[test]
fn a_socket_from_systemd_is_served_instead_of_listen() {
    let host = Host::start(&mut activated("listening"), &[]);
    let mut client = host.connect();
    client.send(b"hello");
    client.expect(b"hello");
}

#[test]
fn a_udp_socket_from_systemd_is_served_too() {
    let host = Host::start(&mut activated("datagrams"), &[]);
    let sender = Sender::to(host.address());
    assert_eq!(sender.ask("hello"), "hello");
}

#[test]
fn a_socket_that_nobody_can_reach_is_refused() {
    let output = activated("bound").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(69), "{said}");
    assert!(
        said.contains("cannot listen on an inherited socket"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
}
