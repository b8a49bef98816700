//! Exchanges recorded from live traffic: `echo-host record`.

use crate::fixture::{Client, Finished, Host, Process, echo_host, guest};
use crate::transports::websocket::{CLOSE, Socket};
use rustix::process::Signal;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// A recorder, with its file.
struct Recorder {
    process: Process,
    file: PathBuf,
    _folder: TempDir,
}

impl Recorder {
    fn start(server: &str, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("live.exchange");
        let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        command
            .args(["record", server, file.to_str().unwrap()])
            .args(options);
        Recorder {
            process: Process::start(&mut command),
            file,
            _folder: folder,
        }
    }

    /// The address for clients.
    fn uri(&self) -> String {
        let lines = self.process.stdout.wait_for("listening on ");
        lines.trim().replace("listening on ", "")
    }

    fn connect(&self) -> Client {
        Client::connect(self.uri().strip_prefix("tcp://").unwrap().parse().unwrap())
    }

    /// Waits until it ends by itself.
    fn end(mut self) -> (Option<i32>, String, Option<String>) {
        let status = self.process.wait();
        let said = self.process.stderr.text();
        (status.code(), said, fs::read_to_string(&self.file).ok())
    }

    fn interrupt(self) -> (Option<i32>, String, Option<String>) {
        self.process.signal(Signal::INT);
        self.end()
    }
}

fn play(handler: &str, recorded: &str) -> Finished {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("live.exchange");
    fs::write(&file, recorded).unwrap();
    echo_host(&["test", &guest(handler), file.to_str().unwrap()])
}

#[test]
fn what_a_client_and_a_host_say_is_a_test_of_the_handler() {
    let host = Host::serve(&[&guest("calc")]);
    let recorder = Recorder::start(host.uri(), &["-n", "2"]);
    let mut talker = recorder.connect();
    talker.expect("Type an expression, help or quit.\n> ");
    // Two at once, each an exchange of its own, in order of arrival.
    let mut other = recorder.connect();
    other.expect("Type an expression, help or quit.\n> ");
    other.send("2*3\n");
    other.expect("6\n> ");
    other.finish();
    assert_eq!(other.rest(), b"");
    talker.send("1 + 1\n");
    talker.expect("2\n> ");
    talker.send("quit\n");
    talker.expect("Goodbye.\n");
    talker.expect_closed();
    drop(talker);
    let (code, said, recorded) = recorder.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("2 connections recorded in "), "{said}");
    let recorded = recorded.unwrap();
    assert_eq!(
        recorded,
        "== connection 1\n\
         < Type an expression, help or quit.\n< > \\\n\
         > 1 + 1\n< 2\n< > \\\n\
         > quit\n< Goodbye.\n<eof\n\
         \n\
         == connection 2\n\
         < Type an expression, help or quit.\n< > \\\n\
         > 2*3\n< 6\n< > \\\n>eof\n<eof\n"
    );
    let finished = play("calc", &recorded);
    assert_eq!(finished.code, Some(0), "{finished:?}");
}

#[test]
fn what_was_said_before_ctrl_c_is_recorded() {
    let host = Host::serve(&[]);
    let recorder = Recorder::start(host.uri(), &["--framing", "chunks"]);
    let mut client = recorder.connect();
    client.send([0, 159, 146, 150]);
    client.expect([0, 159, 146, 150]);
    let (code, said, recorded) = recorder.interrupt();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(
        recorded.as_deref(),
        Some("framing: chunks\n== connection 1\n>hex 00 9f 92 96\n<hex 00 9f 92 96\n")
    );
}

#[test]
fn nothing_that_was_written_before_is_lost() {
    let host = Host::serve(&[]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("by-hand.exchange");
    fs::write(&file, "== mine\n> a\n< a\n").unwrap();
    let file = file.to_str().unwrap();
    let finished = echo_host(&["record", host.uri(), file]);
    assert_eq!(finished.code, Some(74), "{finished:?}");
    let expected =
        format!("echo-host: {file} already exists\nhint: choose another name, or remove it\n");
    assert_eq!(finished.stderr, expected);
    assert_eq!(fs::read_to_string(file).unwrap(), "== mine\n> a\n< a\n");
}

#[test]
fn where_nothing_was_said_there_is_no_file() {
    let host = Host::serve(&[]);
    let recorder = Recorder::start(host.uri(), &[]);
    drop(recorder.connect());
    let (code, said, recorded) = recorder.interrupt();
    assert_eq!((code, recorded), (Some(0), None), "{said}");
    assert!(said.contains("nothing recorded"), "{said}");
}

#[test]
fn a_server_that_is_not_there_is_told_and_waited_for() {
    let gone = Host::serve(&[]);
    let uri = gone.uri().to_owned();
    gone.stop();
    let recorder = Recorder::start(&uri, &[]);
    recorder.connect().expect_closed();
    let refused = format!("echo-host: cannot connect to {uri}: ");
    recorder.process.stderr.wait_for(&refused);
    let host = Host::serve(&["--listen", &uri]);
    let mut client = recorder.connect();
    client.send("again\n");
    client.expect("again\n");
    drop(host);
    client.expect_closed();
    let (_, said, recorded) = recorder.interrupt();
    let recorded = recorded.expect(&said);
    assert_eq!(recorded, "== connection 2\n> again\n< again\n<eof\n");
}

#[test]
fn a_connection_that_is_too_long_for_a_file_is_left_out() {
    let host = Host::serve(&[]);
    let recorder = Recorder::start(host.uri(), &["-n", "2"]);
    let mut short = recorder.connect();
    short.send("short\n");
    short.expect("short\n");
    short.finish();
    assert_eq!(short.rest(), b"");
    let mut long = recorder.connect();
    for line in 0..20_000 {
        let line = format!("{line:0>50}\n");
        long.send(&line);
        long.expect(&line);
    }
    drop(long);
    let (code, said, recorded) = recorder.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("left out connection 2: "), "{said}");
    let recorded = recorded.unwrap();
    assert_eq!(recorded, "== connection 1\n> short\n< short\n>eof\n<eof\n");
}

#[test]
fn only_streams_are_recorded() {
    let finished = echo_host(&["record", "udp://127.0.0.1:1", "never.exchange"]);
    assert_eq!(finished.code, Some(2), "{finished:?}");
    assert!(
        finished
            .stderr
            .contains("expected a tcp://, tls://, ws://, wss:// or unix: endpoint"),
        "{finished:?}"
    );
}

#[test]
fn a_websocket_server_is_recorded_too() {
    let host = Host::serve(&[&guest("reverse"), "--listen", "ws://127.0.0.1:0"]);
    let recorder = Recorder::start(host.uri(), &["-n", "1"]);
    let mut client = recorder.connect();
    assert_eq!(client.ask("abc"), "cba");
    client.finish();
    assert_eq!(client.rest(), b"");
    let (code, said, recorded) = recorder.end();
    assert_eq!(code, Some(0), "{said}");
    let recorded = recorded.unwrap();
    assert!(recorded.contains("> abc\n< cba\n"), "{recorded}");
}

#[test]
fn clients_of_websockets_and_telnet_are_recorded() {
    let host = Host::serve(&[&guest("reverse")]);
    let address = |recorder: &Recorder| {
        let uri = recorder.uri();
        let (_, address) = uri.split_once("://").unwrap();
        address.parse().unwrap()
    };
    let recorder = Recorder::start(host.uri(), &["-n", "1", "--listen", "ws://127.0.0.1:0"]);
    // A browser that gets the page is no client yet.
    let mut page = Client::connect(address(&recorder));
    page.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(page.line(), "HTTP/1.1 200 OK");
    drop(page);
    let mut socket = Socket::open(address(&recorder));
    assert_eq!(socket.ask("abc\n"), "cba\n");
    socket.send(CLOSE, &1000_u16.to_be_bytes());
    socket.expect_close(1000);
    let (code, said, recorded) = recorder.end();
    assert_eq!(code, Some(0), "{said}");
    let recorded = recorded.unwrap();
    assert!(recorded.contains("> abc\n< cba\n"), "{recorded}");

    let recorder = Recorder::start(host.uri(), &["-n", "1", "--listen", "telnet://127.0.0.1:0"]);
    let mut client = Client::connect(address(&recorder));
    // What the host asks, then its answers to one that the client is willing to have.
    client.expect(b"\xff\xfd\x18\xff\xfd\x1f");
    client.send(b"\xff\xfb\x20");
    client.expect(b"\xff\xfe\x20");
    client.send(b"abc\r\n");
    client.expect(b"cba\r\n");
    client.finish();
    client.expect_closed();
    let (code, said, recorded) = recorder.end();
    assert_eq!(code, Some(0), "{said}");
    let recorded = recorded.unwrap();
    assert!(recorded.contains("> abc\n< cba\n"), "{recorded}");
}

#[test]
fn a_client_that_breaks_off_has_ended() {
    let host = Host::serve(&[&guest("reverse")]);
    let recorder = Recorder::start(host.uri(), &["-n", "1", "--listen", "ws://127.0.0.1:0"]);
    let uri = recorder.uri();
    let mut socket = Socket::open(uri.strip_prefix("ws://").unwrap().parse().unwrap());
    assert_eq!(socket.ask("abc\n"), "cba\n");
    // Without a close frame.
    drop(socket);
    let (code, said, recorded) = recorder.end();
    assert_eq!(code, Some(0), "{said}");
    let recorded = recorded.unwrap();
    assert!(recorded.contains("> abc\n< cba\n>eof\n"), "{recorded}");
}

#[test]
fn a_replacement_of_the_file_is_not_written_to() {
    let host = Host::serve(&[]);
    let recorder = Recorder::start(host.uri(), &["-n", "1"]);
    let mut client = recorder.connect();
    let folder = tempfile::tempdir().unwrap();
    let precious = folder.path().join("precious");
    fs::write(&precious, "precious").unwrap();
    fs::remove_file(&recorder.file).unwrap();
    std::os::unix::fs::symlink(&precious, &recorder.file).unwrap();
    assert_eq!(client.ask("hello"), "hello");
    drop(client);
    let (code, said, _) = recorder.end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
}

#[test]
fn a_replacement_of_an_empty_file_is_not_removed() {
    let host = Host::serve(&[]);
    let recorder = Recorder::start(host.uri(), &[]);
    recorder.uri();
    fs::remove_file(&recorder.file).unwrap();
    fs::write(&recorder.file, "precious").unwrap();
    let (code, said, text) = recorder.interrupt();
    assert_eq!(
        (code, text.as_deref()),
        (Some(0), Some("precious")),
        "{said}"
    );
}
