//! Logs and output that nobody reads: a full pipe behaves like a stopped terminal.

use crate::fixture::{Client, DEADLINE, Process, echo_host, free_port, guest, is_listened_on};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::Signal;
use serde_json::Value;
use std::io::{ErrorKind, PipeReader, PipeWriter, Read, Write, pipe};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;
use tempfile::TempDir;

/// A full pipe: the next byte blocks its writer.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = pipe().unwrap();
    let flags = fcntl_getfl(&writer).unwrap();
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
    for piece in [&[b'.'; 4096][..], b"."] {
        while match writer.write(piece) {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                false
            }
        } {}
    }
    // The process that writes there shares the flags.
    fcntl_setfl(&writer, flags).unwrap();
    (reader, writer)
}

/// A process whose standard output and standard error are full pipes.
struct Unread {
    process: Process,
    _stdout: PipeReader,
    stderr: PipeReader,
    address: SocketAddr,
}

impl Unread {
    /// Starts it, and waits until it listens on the port.
    fn start(port: u16, args: &[&str]) -> Self {
        let [(out, stdout), (stderr, err)] = [full_pipe(), full_pipe()];
        let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        let process =
            Process::start_writing_to(command.args(args), Stdio::from(stdout), Stdio::from(err));
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let deadline = Instant::now() + DEADLINE;
        while !is_listened_on(port) {
            assert!(Instant::now() < deadline, "it does not listen");
            thread::yield_now();
        }
        Unread {
            process,
            _stdout: out,
            stderr,
            address,
        }
    }
}

struct Host {
    unread: Unread,
    control: String,
    _folder: TempDir,
}

impl Host {
    fn serve(level: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let control = folder.path().join("control").to_str().unwrap().to_owned();
        let port = free_port();
        let uri = format!("tcp://127.0.0.1:{port}");
        let probe = guest("probe");
        let args = ["serve", &probe, "--listen", &uri, "--control", &control];
        let unread = Unread::start(
            port,
            &[&args[..], &["--log-level", level, "--max-message", "64KiB"]].concat(),
        );
        // The port exists before the host serves.
        assert_eq!(Client::connect(unread.address).ask("count"), "1");
        Host {
            unread,
            control,
            _folder: folder,
        }
    }

    fn dropped(&self) -> u64 {
        let status = echo_host(&["status", "--json", "--control", &self.control]);
        let status: Value =
            serde_json::from_str(&status.stdout).unwrap_or_else(|_| panic!("{status:?}"));
        status["limits_reached"]["log-dropped"].as_u64().unwrap()
    }

    /// Makes guests print until there is no room for their lines.
    fn flood(&self) {
        let lines = format!(
            "print {}",
            "x\\n".replace('x', &"x".repeat(4000)).repeat(15)
        );
        let deadline = Instant::now() + DEADLINE;
        while self.dropped() == 0 {
            assert!(Instant::now() < deadline, "nothing is dropped");
            let mut client = Client::connect(self.unread.address);
            for _ in 0..6 {
                client.ask(&lines);
            }
        }
    }
}

#[test]
fn a_host_whose_log_is_not_read_serves_answers_and_stops() {
    let mut host = Host::serve("debug");
    host.flood();
    let mut client = Client::connect(host.unread.address);
    assert_eq!(client.ask("count"), "1");
    drop(client);
    host.unread.process.signal(Signal::TERM);
    assert_eq!(host.unread.process.wait().code(), Some(0));
}

#[test]
fn lines_that_were_dropped_are_counted_and_told_when_there_is_room_again() {
    let mut host = Host::serve("info");
    host.flood();
    let mut stderr = host.unread.stderr.try_clone().unwrap();
    let mut log = Vec::new();
    let told = |log: &[u8]| String::from_utf8_lossy(log).contains(" log lines were dropped");
    while !told(&log) {
        let mut chunk = [0; 4096];
        let count = stderr.read(&mut chunk).unwrap();
        assert!(count > 0, "it ended without a word");
        log.extend_from_slice(&chunk[..count]);
    }
    // From here on lines arrive again, including the last ones.
    host.unread.process.signal(Signal::TERM);
    stderr.read_to_end(&mut log).unwrap();
    let log = String::from_utf8_lossy(&log).into_owned();
    assert!(log.contains("stopped: all connections finished"), "{log}");
    assert_eq!(host.unread.process.wait().code(), Some(0));
}

#[test]
fn a_recorder_that_nobody_reads_passes_bytes_on() {
    let server = crate::fixture::Host::serve(&[]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("live.exchange");
    let port = free_port();
    let uri = format!("tcp://127.0.0.1:{port}");
    let args = [
        "record",
        server.uri(),
        file.to_str().unwrap(),
        "--listen",
        &uri,
    ];
    let mut recorder = Unread::start(port, &args);
    assert_eq!(Client::connect(recorder.address).ask("hello"), "hello");
    recorder.process.signal(Signal::INT);
    assert_eq!(recorder.process.wait().code(), Some(0));
    assert!(std::fs::read_to_string(&file).unwrap().contains("> hello"));
}
