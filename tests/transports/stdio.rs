//! One client on standard input and output: under a shell, under socat, under inetd.

use super::{connect, python};
use crate::fixture::{Process, echo_host, guest, run, tool};
use std::process::Command;

fn serve(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    command
        .args(["serve", "--listen", "stdio:"])
        .args(arguments);
    command
}

/// Like inetd: accepts, makes the socket all three standard streams, and starts the host.
const INETD: &str = "
import socket, subprocess, sys
listener = socket.create_server(('127.0.0.1', 0))
client = socket.create_connection(listener.getsockname())
accepted, _ = listener.accept()
host = subprocess.Popen(sys.argv[1:], stdin=accepted, stdout=accepted, stderr=accepted)
accepted.close()
for line in (b'peer\\n', b'say bye\\n'):
    client.sendall(line)
client.shutdown(socket.SHUT_WR)
said = b''.join(iter(lambda: client.recv(1024), b'')).decode()
print(host.wait())
print(said.replace(str(client.getsockname()[1]), 'PORT'))
";

#[test]
fn a_pipe_is_a_client() {
    let finished = run(&mut serve(&[&guest("reverse")]), b"hello\nworld");
    assert_eq!(
        (finished.code, finished.stdout.as_str()),
        (Some(0), "olleh\ndlrow\n"),
        "{finished:?}"
    );
}

#[test]
fn inetd_may_start_the_host() {
    let host = env!("CARGO_BIN_EXE_echo-host");
    let puppet = guest("puppet");
    let said = python(INETD, &[host, "serve", "--listen", "stdio:", &puppet]);
    let (code, said) = said.split_once('\n').unwrap();
    assert_eq!(code, "0", "{said}");
    // The log would go to the client, as its socket is standard error too.
    assert!(said.starts_with("ready\nPeerInfo"), "{said}");
    assert!(said.trim_end().ends_with("bye\neof"), "{said}");
    assert!(
        said.contains(r#"transport: "stdio""#) && said.contains("peer: \"127.0.0.1:PORT\""),
        "{said}"
    );
}

#[test]
fn socat_may_start_the_host() {
    let exec = format!(
        "EXEC:{} serve --listen stdio\\:",
        env!("CARGO_BIN_EXE_echo-host")
    );
    let finished = run(tool("socat").args(["-t", "60", "-", &exec]), b"by socat");
    assert_eq!(finished.stdout, "by socat", "{finished:?}");
}

#[test]
fn systemd_may_start_a_host_for_each_client() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("echo.sock");
    let mut activate = tool("systemd-socket-activate");
    activate
        .args(["--accept", "--inetd", "--listen"])
        .arg(&socket);
    activate.args([
        env!("CARGO_BIN_EXE_echo-host"),
        "serve",
        "--listen",
        "stdio:",
    ]);
    let systemd = Process::start(&mut activate);
    systemd.stderr.wait_for("Listening on");
    for message in ["one", "two"] {
        let finished = connect(&[&format!("unix:{}", socket.display())], message);
        assert_eq!(finished.stdout, message, "{finished:?}");
    }
}

#[test]
fn the_client_is_alone() {
    let both = [
        "serve",
        "--listen",
        "stdio:",
        "--listen",
        "tcp://127.0.0.1:0",
    ];
    let finished = echo_host(&both);
    assert_eq!(finished.code, Some(78), "{finished:?}");
    assert!(
        finished.stderr.contains("cannot be combined"),
        "{finished:?}"
    );
}
