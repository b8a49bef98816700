//! Notifications to systemd, and the units that ship with the host. Python stands in for systemd,
//! which a test must not start.

use crate::fixture::{Host, Process, guest, root, run, tool};
use rustix::process::Signal;
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::Command;

/// The address of systemd's socket.
struct Manager {
    socket: UnixDatagram,
    path: String,
    _folder: tempfile::TempDir,
}

impl Manager {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket
            .set_read_timeout(Some(crate::fixture::DEADLINE))
            .unwrap();
        Manager {
            socket,
            path: path.to_str().unwrap().to_owned(),
            _folder: folder,
        }
    }

    fn start(&self, variables: &[(&str, &str)], args: &[&str]) -> Host {
        let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        command.env("NOTIFY_SOCKET", &self.path);
        command.envs(variables.iter().copied());
        Host::start(command.arg("serve"), args)
    }

    fn heard(&self) -> String {
        let mut message = [0; 512];
        let length = self.socket.recv(&mut message).unwrap();
        String::from_utf8_lossy(&message[..length]).into_owned()
    }

    /// Waits for a message with this prefix.
    fn wait_for(&self, begin: &str) -> String {
        loop {
            let heard = self.heard();
            if heard.starts_with(begin) {
                return heard;
            }
        }
    }
}

#[test]
fn systemd_hears_when_the_host_serves_reloads_and_stops() {
    let manager = Manager::new();
    let mut host = manager.start(&[], &[&guest("upper")]);
    assert_eq!(manager.heard().trim(), "READY=1");
    // It is true: a client that connects now is served.
    let mut client = host.connect();
    client.send("hello");
    client.expect("HELLO");
    host.process.signal(Signal::HUP);
    let reloading = manager.heard();
    assert!(
        reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="),
        "{reloading}"
    );
    assert_eq!(manager.heard().trim(), "READY=1");
    host.process.signal(Signal::TERM);
    // Even while clients may still finish.
    assert_eq!(manager.heard().trim(), "STOPPING=1");
    client.send("still here");
    client.expect("STILL HERE");
    drop(client);
    assert_eq!(host.process.wait().code(), Some(0));
    assert!(
        host.process
            .stderr
            .text()
            .contains("all connections finished")
    );
}

#[test]
fn the_watchdog_is_fed() {
    let manager = Manager::new();
    let _host = manager.start(&[("WATCHDOG_USEC", "300000")], &[]);
    for _ in 0..3 {
        manager.wait_for("WATCHDOG=1");
    }
}

#[test]
fn a_host_that_cannot_serve_never_says_that_it_does() {
    let manager = Manager::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    command.env("NOTIFY_SOCKET", &manager.path);
    let mut process =
        Process::start(command.args(["serve", "/nowhere.wasm", "--listen", "tcp://127.0.0.1:0"]));
    assert_eq!(process.wait().code(), Some(65));
    manager.socket.set_nonblocking(true).unwrap();
    assert!(manager.socket.recv(&mut [0; 64]).is_err());
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    let folder = tempfile::tempdir().unwrap();
    let mut verify = tool("systemd-analyze");
    verify.arg("verify");
    for name in ["echo-host.service", "echo-host.socket"] {
        let unit = fs::read_to_string(root().join("host/systemd").join(name)).unwrap();
        // The administrator chooses the install path; the check needs an existing one.
        let unit = unit.replace("/usr/local/bin/echo-host", env!("CARGO_BIN_EXE_echo-host"));
        fs::write(folder.path().join(name), unit).unwrap();
        verify.arg(folder.path().join(name));
    }
    let verified = run(&mut verify, b"");
    assert_eq!(
        (verified.code, verified.stderr.as_str()),
        (Some(0), ""),
        "{verified:?}"
    );
    let mut rate = tool("systemd-analyze");
    rate.args(["security", "--offline=yes", "--threshold=20"]);
    // In tenths: from 0, where a service can do nothing, to 100.
    let rated = run(rate.arg(root().join("host/systemd/echo-host.service")), b"");
    assert_eq!(rated.code, Some(0), "{rated:?}");
}

/// The host knows the options in the service unit.
#[test]
fn the_service_starts_the_host_with_options_it_has() {
    let unit = fs::read_to_string(root().join("host/systemd/echo-host.service")).unwrap();
    let start = unit
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart="));
    let help = run(
        Command::new(env!("CARGO_BIN_EXE_echo-host")).args(["serve", "--help"]),
        b"",
    );
    let words = start.unwrap().split(' ');
    let options: Vec<_> = words.filter(|word| word.starts_with("--")).collect();
    assert!(!options.is_empty());
    for option in options {
        assert!(help.stdout.contains(option), "{option}");
    }
}
