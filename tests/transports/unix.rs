//! Unix sockets: files that come and go as they should, and clients the kernel vouches for.

use super::{connect, python};
use crate::fixture::{Host, echo_host, guest, run, tool};
use rustix::process::{Signal, getgid, getuid};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use tempfile::TempDir;

struct Place {
    _folder: TempDir,
    path: PathBuf,
    uri: String,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("echo.sock");
        Place {
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
    let place = Place::new();
    let host = place.serve(&[]);
    assert_eq!(host.uri(), place.uri);
    place.assert_echoes();
    let script = "
import socket, sys
with socket.socket(socket.AF_UNIX) as client:
    client.connect(sys.argv[1])
    client.sendall(b'Hello, server!')
    print(client.recv(1024).decode())
";
    let path = place.path.to_str().unwrap();
    assert_eq!(python(script, &[path]), "Hello, server!\n");
    let finished = run(tool("nc").args(["-N", "-U", path]), b"by nc");
    assert_eq!(finished.stdout, "by nc", "{finished:?}");
}

#[test]
fn the_handler_learns_who_the_client_is() {
    let place = Place::new();
    let _host = place.serve(&[&guest("puppet")]);
    let said = connect(&[&place.uri], "peer\n").stdout;
    let (user, group) = (getuid().as_raw(), getgid().as_raw());
    assert!(said.contains("Transport::Unix"), "{said}");
    assert!(
        said.contains(&format!("\"uid={user} gid={group} pid=")),
        "{said}"
    );
    assert!(
        said.contains(&format!("local: {:?}", place.path)) && said.contains(&place.uri),
        "{said}"
    );
}

#[test]
fn the_file_has_the_mode_and_the_owner_it_is_to_have_and_goes_with_the_host() {
    let place = Place::new();
    let owner = format!("{}:{}", getuid().as_raw(), getgid().as_raw());
    let host = place.serve(&["--unix-mode", "620", "--unix-owner", &owner]);
    let file = fs::metadata(&place.path).unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o620);
    assert_eq!(file.uid(), getuid().as_raw());
    host.stop();
    assert!(!place.path.exists());
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
        let finished = echo_host(&["serve", "--listen", &place.uri, option, value]);
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(finished.stderr.contains(expected), "{finished:?}");
    }
}

#[test]
fn only_a_socket_that_nobody_listens_on_is_replaced() {
    let place = Place::new();
    let assert_refused = |why: &str| {
        let finished = echo_host(&["serve", "--listen", &place.uri]);
        assert_eq!(finished.code, Some(69), "{finished:?}");
        let expected = format!("echo-host: cannot listen on {}: {why}\n", place.uri);
        assert!(finished.stderr.ends_with(&expected), "{finished:?}");
    };
    fs::write(&place.path, "precious").unwrap();
    assert_refused("the path exists and is not a socket");
    assert_eq!(fs::read(&place.path).unwrap(), b"precious");
    fs::remove_file(&place.path).unwrap();

    let other = UnixListener::bind(&place.path).unwrap();
    assert_refused("another process listens there");
    drop(other);
    // Its file is still there.
    let mut killed = place.serve(&[]);
    place.assert_echoes();
    killed.process.signal(Signal::KILL);
    killed.process.wait();
    assert!(place.path.exists());
    let host = place.serve(&[]);
    host.wait_for_log("left behind by a host that is gone");
    place.assert_echoes();
}

#[test]
fn what_has_taken_the_place_of_the_file_is_left_alone() {
    let place = Place::new();
    let host = place.serve(&[]);
    fs::remove_file(&place.path).unwrap();
    let _other = UnixListener::bind(&place.path).unwrap();
    host.stop();
    assert!(place.path.exists());
}

#[test]
fn a_successor_takes_the_file_over() {
    let place = Place::new();
    let control = place.path.with_extension("control");
    let control = ["--control", control.to_str().unwrap()];
    let mut old = place.serve(&control);
    let new = place.serve(&[&control[..], &["--takeover"]].concat());
    assert_eq!(old.process.wait().code(), Some(0));
    place.assert_echoes();
    new.stop();
    assert!(!place.path.exists());
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
