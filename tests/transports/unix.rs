//! Unix sockets: files that are created and removed, and clients that the kernel identifies.

use super::{connect, python};
use crate::fixture::{Host, echo_host, guest, run, tool};
use rustix::process::{Signal, getgid, getuid};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use tempfile::TempDir;

struct Socket {
    _folder: TempDir,
    path: PathBuf,
    uri: String,
}

impl Socket {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("echo.sock");
        Socket {
            uri: format!("unix:{}", path.display()),
            _folder: folder,
            path,
        }
    }

    fn serve(&self, args: &[&str]) -> Host {
        Host::serve(&[args, &["--listen", &self.uri]].concat())
    }

    fn assert_echoes(&self) {
        let finished = connect(&[&self.uri], "Hello, server!");
        assert_eq!(finished.stdout, "Hello, server!", "{finished:?}");
    }
}

#[test]
fn python_nc_and_our_client_talk_to_a_file() {
    let socket = Socket::new();
    let host = socket.serve(&[]);
    assert_eq!(host.uri(), socket.uri);
    socket.assert_echoes();
    let script = "
import socket, sys
with socket.socket(socket.AF_UNIX) as client:
    client.connect(sys.argv[1])
    client.sendall(b'Hello, server!')
    print(client.recv(1024).decode())
";
    let path = socket.path.to_str().unwrap();
    assert_eq!(python(script, &[path]), "Hello, server!\n");
    let finished = run(tool("nc").args(["-N", "-U", path]), b"by nc");
    assert_eq!(finished.stdout, "by nc", "{finished:?}");
}

#[test]
fn the_handler_learns_who_the_client_is() {
    let socket = Socket::new();
    let _host = socket.serve(&[&guest("puppet")]);
    let said = connect(&[&socket.uri], "peer\n").stdout;
    let (user, group) = (getuid().as_raw(), getgid().as_raw());
    assert!(said.contains(r#"transport: "unix""#), "{said}");
    assert!(
        said.contains(&format!("\"uid={user} gid={group} pid=")),
        "{said}"
    );
    assert!(
        said.contains(&format!("local: {:?}", socket.path)) && said.contains(&socket.uri),
        "{said}"
    );
}

#[test]
fn the_file_has_the_mode_and_the_owner_it_is_to_have_and_goes_with_the_host() {
    let socket = Socket::new();
    let owner = format!("{}:{}", getuid().as_raw(), getgid().as_raw());
    let host = socket.serve(&["--unix-mode", "620", "--unix-owner", &owner]);
    let file = fs::metadata(&socket.path).unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o620);
    assert_eq!(file.uid(), getuid().as_raw());
    host.stop();
    assert!(!socket.path.exists());
    for (option, value, expected) in [
        ("--unix-mode", "888", "expected permissions in octal digits"),
        (
            "--unix-owner",
            "nobody-knows",
            "there is no user `nobody-knows`",
        ),
        (
            "--unix-owner",
            ":nobody-knows",
            "there is no group `nobody-knows`",
        ),
    ] {
        let finished = echo_host(&["serve", "--listen", &socket.uri, option, value]);
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(finished.stderr.contains(expected), "{finished:?}");
    }
}

#[test]
fn only_a_socket_that_nobody_listens_on_is_replaced() {
    let socket = Socket::new();
    let assert_refused = |why: &str| {
        let finished = echo_host(&["serve", "--listen", &socket.uri]);
        assert_eq!(finished.code, Some(69), "{finished:?}");
        let expected = format!("echo-host: cannot listen on {}: {why}\n", socket.uri);
        assert!(finished.stderr.ends_with(&expected), "{finished:?}");
    };
    fs::write(&socket.path, "precious").unwrap();
    assert_refused("the path exists and is not a socket");
    assert_eq!(fs::read(&socket.path).unwrap(), b"precious");
    fs::remove_file(&socket.path).unwrap();

    let other = UnixListener::bind(&socket.path).unwrap();
    assert_refused("another process listens there");
    drop(other);
    // Its file still exists.
    let mut killed = socket.serve(&[]);
    socket.assert_echoes();
    killed.process.signal(Signal::KILL);
    killed.process.wait();
    assert!(socket.path.exists());
    let host = socket.serve(&[]);
    host.wait_for_log("left behind by a host that is gone");
    socket.assert_echoes();
}

#[test]
fn a_file_that_replaced_the_socket_is_left_alone() {
    let socket = Socket::new();
    let host = socket.serve(&[]);
    fs::remove_file(&socket.path).unwrap();
    let _other = UnixListener::bind(&socket.path).unwrap();
    host.stop();
    assert!(socket.path.exists());
}

#[test]
fn a_successor_takes_the_file_over() {
    let socket = Socket::new();
    let control = socket.path.with_extension("control");
    let control = ["--control", control.to_str().unwrap()];
    let mut old = socket.serve(&control);
    let new = socket.serve(&[&control[..], &["--takeover"]].concat());
    assert_eq!(old.process.wait().code(), Some(0));
    socket.assert_echoes();
    new.stop();
    assert!(!socket.path.exists());
}

#[cfg(target_os = "linux")]
#[test]
fn an_abstract_name_is_no_file() {
    let uri = format!("unix:@echo-host-test-{}", std::process::id());
    let host = Host::serve(&["--listen", &uri]);
    assert_eq!(host.uri(), uri);
    let finished = connect(&[&uri], "Hello, server!");
    assert_eq!(finished.stdout, "Hello, server!", "{finished:?}");
    let second = echo_host(&["serve", "--listen", &uri]);
    assert_eq!(second.code, Some(69), "{second:?}");
}
