//! A host takes over from another, and no client notices.

use crate::fixture::{Client, Finished, Host, guest, run, warnings};
use crate::transports::websocket::{CLOSE, Socket};
use rustix::process::Signal;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tempfile::TempDir;

/// The path of the control socket, for one host after the other.
struct Post {
    folder: TempDir,
    path: String,
}

impl Post {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("host.sock");
        Post {
            path: path.to_str().unwrap().to_owned(),
            folder,
        }
    }

    fn serve(&self, args: &[&str]) -> Host {
        Host::serve(&[args, &["--control", &self.path, "--drain-timeout", "1min"]].concat())
    }

    fn run(&self, args: &[&str]) -> Finished {
        let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        command.args(args).args(["--control", &self.path]);
        run(&mut command, b"")
    }

    /// The process that answers on the control socket.
    fn holder(&self) -> u64 {
        let status = self.run(&["status", "--json"]);
        let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
        status["pid"].as_u64().unwrap()
    }
}

/// Clients that come and go. Each sends a message, gets the reply and sees the host close; any
/// failure is a panic.
struct Crowd {
    enough: Arc<AtomicBool>,
    served: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<()>>,
}

impl Crowd {
    fn of(clients: usize, address: SocketAddr) -> Self {
        let mut crowd = Crowd {
            enough: Arc::default(),
            served: Arc::default(),
            threads: Vec::new(),
        };
        for _ in 0..clients {
            let (enough, served) = (crowd.enough.clone(), crowd.served.clone());
            crowd.threads.push(thread::spawn(move || {
                while !enough.load(Ordering::Relaxed) {
                    let mut client = Client::connect(address);
                    client.send("hello");
                    client.finish();
                    assert_eq!(client.rest(), b"hello");
                    served.fetch_add(1, Ordering::Relaxed);
                }
            }));
        }
        crowd
    }

    /// Waits until N more clients have been served.
    fn pass(&self, clients: usize) {
        let target = self.served.load(Ordering::Relaxed) + clients;
        while self.served.load(Ordering::Relaxed) < target {
            assert!(
                !self.threads.iter().any(JoinHandle::is_finished),
                "a client failed"
            );
            thread::yield_now();
        }
    }

    fn leave(self) {
        self.enough.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().unwrap();
        }
    }
}

#[test]
fn twice_in_a_row_no_client_is_refused_and_no_reply_lost() {
    let post = Post::new();
    let mut host = post.serve(&[]);
    let crowd = Crowd::of(8, host.address());
    for _ in 0..2 {
        crowd.pass(200);
        let before = post.holder();
        let mut old = std::mem::replace(&mut host, post.serve(&["--takeover"]));
        assert_eq!(host.address(), old.address());
        assert_ne!(post.holder(), before);
        host.wait_for_log(&format!(
            "took over from process {before}, which now drains"
        ));
        assert_eq!(old.process.wait().code(), Some(0));
        let log = old.process.stderr.text();
        assert!(
            log.contains("another host took over the listening sockets"),
            "{log}"
        );
        assert!(warnings(&log).is_empty(), "{log}");
        crowd.pass(200);
        // The old host has left the new one's socket in place.
        assert_ne!(post.holder(), before);
    }
    crowd.leave();
    host.stop();
    assert_eq!(post.folder.path().read_dir().unwrap().count(), 0);
}

#[test]
fn the_old_host_finishes_what_it_began() {
    let post = Post::new();
    let mut old = post.serve(&[&guest("upper")]);
    let mut client = old.connect();
    client.send("before");
    client.expect("BEFORE");
    let new = post.serve(&["--takeover"]);
    assert_eq!(new.connect().ask("new clients"), "new clients");
    old.wait_for_log("1 connections may finish");
    client.send("after");
    client.expect("AFTER");
    client.finish();
    client.expect_closed();
    assert_eq!(old.process.wait().code(), Some(0));
}

#[test]
fn a_websocket_stays_with_the_host_that_opened_it() {
    let post = Post::new();
    let mut old = post.serve(&[&guest("upper"), "--listen", "ws://127.0.0.1:0"]);
    let mut socket = Socket::open(old.address());
    assert_eq!(socket.ask("before"), "BEFORE");
    let new = post.serve(&["--takeover"]);
    assert_eq!(new.address(), old.address());
    assert_eq!(Socket::open(new.address()).ask("new"), "new");
    old.wait_for_log("1 connections may finish");
    assert_eq!(socket.ask("after"), "AFTER");
    socket.send(CLOSE, &1000_u16.to_be_bytes());
    socket.expect_close(1000);
    assert_eq!(old.process.wait().code(), Some(0));
}

#[test]
fn the_only_host_needs_no_name_and_its_successor_is_the_only_one() {
    let folder = tempfile::tempdir().unwrap();
    let serve = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        command.arg("serve").env("XDG_RUNTIME_DIR", folder.path());
        // A variable with the value `no` counts as unset.
        command.env("ECHO_HOST_NO_CONTROL", "0");
        Host::start(&mut command, args)
    };
    let old = serve(&[]);
    let mut client = old.connect();
    assert_eq!(client.ask("hello"), "hello");
    let new = serve(&["--takeover"]);
    assert_eq!(new.address(), old.address());
    // The old one drains, and is no longer reachable.
    old.wait_for_log("1 connections may finish");
    let newest = serve(&["--takeover"]);
    assert_eq!(newest.connect().ask("hello"), "hello");
    let sockets = folder.path().join("echo-host").read_dir().unwrap();
    assert_eq!(sockets.count(), 1);
    client.finish();
}

#[test]
fn a_successor_that_fails_changes_nothing() {
    let post = Post::new();
    let socket = post.folder.path().join("echo.sock");
    let listen = [
        "--listen",
        "tcp://127.0.0.1:0",
        "--listen",
        &format!("unix:{}", socket.display()),
    ];
    let host = post.serve(&listen);
    let holder = post.holder();
    let failed = post.run(&["serve", "/no/such.wasm", "--takeover"]);
    assert_eq!(failed.code, Some(65), "{failed:?}");
    assert_eq!(host.connect().ask("hello"), "hello");
    assert!(socket.exists());
    assert_eq!(post.holder(), holder);
    let new = post.serve(&[&listen[..], &["--takeover"]].concat());
    assert_eq!(new.address(), host.address());
    host.stop();
    assert!(socket.exists());
    new.stop();
    assert!(!socket.exists());
}

#[test]
fn there_must_be_somebody_to_take_over_from() {
    let post = Post::new();
    let failed = post.run(&["serve", "--takeover"]);
    assert_eq!(failed.code, Some(69), "{failed:?}");
    assert!(failed.stderr.contains("no host answers on control socket"));
}

#[test]
fn a_host_that_is_stopping_has_nothing_to_pass_on() {
    let post = Post::new();
    let mut host = post.serve(&[]);
    let mut client = host.connect();
    assert_eq!(client.ask("hello"), "hello");
    host.process.signal(Signal::TERM);
    host.wait_for_log("1 connections may finish");
    let failed = post.run(&["serve", "--takeover"]);
    assert_eq!(failed.code, Some(69), "{failed:?}");
    assert!(failed.stderr.contains("the host is stopping"), "{failed:?}");
    client.finish();
    assert_eq!(host.process.wait().code(), Some(0));
}

#[test]
fn two_signals_end_a_retired_host_at_once() {
    let post = Post::new();
    let mut old = post.serve(&[]);
    let mut client = old.connect();
    assert_eq!(client.ask("hello"), "hello");
    let _new = post.serve(&["--takeover"]);
    old.wait_for_log("1 connections may finish");
    old.process.signal(Signal::TERM);
    // Two signals in a row may count as one.
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(client.ask("still here"), "still here");
    old.process.signal(Signal::INT);
    assert_eq!(old.process.wait().code(), Some(130));
}
