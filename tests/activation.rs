//! Sockets that systemd has opened for the host. Python stands in for systemd: it can execute the
//! host in its own process, as the variable with the owner's PID requires.

use crate::fixture::{Host, Sender, run, tool};
use crate::transports::certificates::Authority;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Command;

/// Binds a socket, moves it to descriptor 3, and executes the host.
const ACTIVATE: &str = "
import os, socket, sys
kind, _, path = sys.argv[1].partition(':')
family = socket.AF_UNIX if path else socket.AF_INET
kinds = {'datagrams': socket.SOCK_DGRAM, 'packets': socket.SOCK_SEQPACKET}
sock = socket.socket(family, kinds.get(kind, socket.SOCK_STREAM))
sock.bind(path or ('127.0.0.1', 0))
if kind in ('listening', 'tls', 'telnet', 'ws', 'packets'): sock.listen()
os.dup2(sock.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES=kind)
os.execv(sys.argv[2], sys.argv[2:])
";

fn activated(kind: &str) -> Command {
    let mut command = tool("python3");
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
fn a_socket_called_telnet_is_served_with_telnet() {
    let host = Host::start(&mut activated("telnet"), &[]);
    assert!(host.uri().starts_with("telnet://"), "{}", host.uri());
    let mut client = host.connect();
    client.expect(b"\xff\xfd\x18\xff\xfd\x1f");
}

#[test]
fn a_udp_socket_from_systemd_is_served_too() {
    let host = Host::start(&mut activated("datagrams"), &[]);
    let sender = Sender::to(host.address());
    assert_eq!(sender.ask("hello"), "hello");
}

#[test]
fn a_unix_socket_from_systemd_is_served_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("echo.sock");
    let host = Host::start(
        &mut activated(&format!("listening:{}", path.display())),
        &[],
    );
    assert_eq!(host.uri(), format!("unix:{}", path.display()));
    let mut client = UnixStream::connect(&path).unwrap();
    client.write_all(b"hello").unwrap();
    let mut reply = [0; 5];
    client.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"hello");
    drop(client);
    host.stop();
    // The socket belongs to systemd, and the next client starts the host.
    assert!(path.exists());
}

#[test]
fn a_socket_called_tls_is_served_with_tls() {
    let host = Host::start_as_it_is(activated("tls").arg("--tls-self-signed"), 1);
    assert!(host.uri().starts_with("tls://"), "{}", host.uri());
    let mut connect = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    connect.args(["connect", host.uri(), "--insecure"]);
    let finished = run(&mut connect, b"hello");
    assert_eq!(finished.stdout, "hello", "{finished:?}");
}

#[test]
fn a_socket_called_ws_is_served_as_a_websocket() {
    let host = Host::start(&mut activated("ws"), &[]);
    assert!(host.uri().starts_with("ws://"), "{}", host.uri());
    let mut connect = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    let finished = run(connect.args(["connect", host.uri()]), b"hello");
    assert_eq!(finished.stdout, "hello", "{finished:?}");
}

#[test]
fn the_certificate_of_a_socket_called_tls_is_read_in_the_sandbox() {
    let authority = Authority::new();
    let files = authority.sign("server", &["localhost", "127.0.0.1"], "localhost");
    let mut command = activated("tls");
    command.args(["--tls-cert", &files.certificate, "--tls-key", &files.key]);
    let host = Host::start_as_it_is(&mut command, 1);
    let mut connect = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    connect.args(["connect", host.uri(), "--ca", &authority.file()]);
    let finished = run(&mut connect, b"hello");
    assert_eq!(finished.stdout, "hello", "{finished:?}");
}

#[test]
fn a_socket_that_cannot_be_served_is_called_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, what) in [
        ("packets", "a Unix socket of type SEQPACKET"),
        ("datagrams", "a Unix datagram socket"),
        ("bound", "a stream socket that does not listen"),
    ] {
        let path = folder.path().join(kind);
        let output = activated(&format!("{kind}:{}", path.display())).output();
        let output = output.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(69), "{said}");
        assert!(said.contains(what), "{said}");
    }
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
