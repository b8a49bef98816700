//! The control socket, and the commands that use it.

use crate::fixture::{Client, Finished, Host, Process, echo_host, guest, needs, run, tool};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::{self, JoinHandle};
use tempfile::TempDir;

/// A directory for control sockets that no other test uses.
struct Directory(TempDir);

impl Directory {
    fn new() -> Self {
        Directory(tempfile::tempdir().unwrap())
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("echo-host")
    }

    /// A path in it for `--control`.
    fn socket(&self) -> String {
        self.0.path().join("host.sock").to_str().unwrap().to_owned()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        command.env("XDG_RUNTIME_DIR", self.0.path());
        command
    }

    fn serve(&self, args: &[&str]) -> Host {
        Host::start(self.command().arg("serve"), args)
    }

    fn run(&self, args: &[&str]) -> Finished {
        run(self.command().args(args), b"")
    }
}

/// The path that a host logged.
fn socket_of(host: &Host) -> PathBuf {
    let line = host.wait_for_log("control socket ");
    PathBuf::from(line.split("control socket ").last().unwrap())
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o777
}

#[track_caller]
fn assert_fails(finished: &Finished, code: i32, reasons: &[&str]) {
    assert_eq!(finished.code, Some(code), "{finished:?}");
    assert_eq!(finished.stdout, "");
    assert!(finished.is_one_error(), "{finished:?}");
    for reason in reasons {
        assert!(finished.stderr.contains(reason), "{finished:?}");
    }
}

/// Answers one client with this line, and returns what it sent.
fn answer_once(path: &str, answer: &'static str) -> JoinHandle<Value> {
    let listener = UnixListener::bind(path).unwrap();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut request = String::new();
        BufReader::new(&stream).read_line(&mut request).unwrap();
        (&stream).write_all(answer.as_bytes()).unwrap();
        serde_json::from_str(&request).unwrap()
    })
}

#[test]
fn the_status_is_for_people_and_for_machines() {
    let directory = Directory::new();
    let host = directory.serve(&[
        "--listen",
        "tcp://127.0.0.1:0",
        "--listen",
        "tcp://127.0.0.1:0",
    ]);
    let finished = directory.run(&["status"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    for address in host.addresses() {
        let line = format!("\nlistening      tcp://{address}, 0 open\n");
        assert!(finished.stdout.contains(&line), "{finished:?}");
    }

    let finished = directory.run(&["status", "--json"]);
    assert_eq!(finished.stdout.lines().count(), 1, "{finished:?}");
    let script = "import json, sys; s = json.load(sys.stdin); \
        print(s['pid'], s['listeners'][0]['uri'], s['connections']['open'], s['started_unix_seconds'] > 1.7e9)";
    let read = run(
        tool("python3").args(["-c", script]),
        finished.stdout.as_bytes(),
    );
    let words: Vec<_> = read.stdout.split_whitespace().collect();
    let path = socket_of(&host);
    let pid = path.file_stem().unwrap().to_str().unwrap();
    assert_eq!(words, [pid, host.uri(), "0", "True"], "{read:?}");
}

#[test]
fn the_status_tells_what_an_operator_looks_for() {
    let directory = Directory::new();
    let host = directory.serve(&[
        &guest("probe"),
        "--max-message",
        "64",
        "--listen",
        "tcp://127.0.0.1:0",
        "--listen",
        "tcp://127.0.0.1:0",
    ]);
    for _ in 0..3 {
        let mut client = host.connect();
        client.send("x".repeat(65));
        client.rest();
    }
    let mut client = Client::connect(host.addresses()[1]);
    assert_eq!(client.ask("count"), "1");
    let status = host.wait_for_open(1);
    let [first, second] = &status["listeners"].as_array().unwrap()[..] else {
        panic!("{status}")
    };
    assert_eq!(
        (&first["connections"], &second["connections"]),
        (&json!(0), &json!(1))
    );
    assert!(
        status["resident_bytes"].as_u64().unwrap() > 1 << 20,
        "{status}"
    );
    assert!(status["uptime_seconds"].is_u64(), "{status}");
    let warnings = status["last_warnings"].as_array().unwrap();
    let of_framing = |warning: &&Value| {
        let message = warning["message"].as_str().unwrap();
        message.starts_with("closed: the client broke the framing")
    };
    let warning = warnings.iter().find(of_framing).unwrap();
    assert_eq!(
        (&warning["times"], &warning["level"]),
        (&json!(3), &json!("warn"))
    );
    let counts = status["services"][0]["calls"]["microseconds"]["counts"]
        .as_array()
        .unwrap();
    assert!(counts.iter().any(|count| count["count"] != 0), "{status}");
    let text = directory.run(&["status"]).stdout;
    assert!(
        text.contains(", 3 times: closed: the client broke"),
        "{text}"
    );
    assert!(text.contains("\ncall times     50% within "), "{text}");
}

#[test]
fn the_status_can_be_watched_until_ctrl_c() {
    let directory = Directory::new();
    let host = directory.serve(&[]);
    let socket = socket_of(&host);
    let mut watching = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    watching
        .args(["status", "--watch", "--control"])
        .arg(&socket);
    let mut watching = Process::start(&mut watching);
    watching.stdout.wait_until("second status", |text| {
        assert!(!text.contains('\x1b'), "{text:?}");
        (text.matches("\nconnections ").count() == 2).then_some(())
    });
    watching.signal(Signal::INT);
    assert_eq!(watching.wait().code(), Some(0));
    let mut orphan = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    orphan
        .args(["status", "--watch", "--json", "--control"])
        .arg(&socket);
    let mut orphan = Process::start(&mut orphan);
    orphan.stdout.wait_for("\"pid\"");
    host.stop();
    assert_eq!(orphan.wait().code(), Some(69));
}

#[test]
fn a_line_by_hand_will_do() {
    let directory = Directory::new();
    let host = directory.serve(&[]);
    let request = b"{\"version\":1,\"command\":\"status\"}\n";
    let reply = run(tool("nc").arg("-U").arg(socket_of(&host)), request);
    let reply: Value = serde_json::from_str(&reply.stdout).unwrap();
    assert_eq!(reply["version"], 1);
    assert_eq!(reply["status"]["listeners"][0]["uri"], host.uri());
}

#[test]
fn the_socket_is_the_owners_alone_and_goes_with_the_host() {
    let directory = Directory::new();
    let host = directory.serve(&[]);
    let path = socket_of(&host);
    assert_eq!(path.parent(), Some(directory.folder().as_path()));
    assert_eq!(mode(&directory.folder()), 0o700);
    assert_eq!(mode(&path), 0o600);
    let _silent = UnixStream::connect(&path).unwrap();
    host.stop();
    assert_eq!(fs::read_dir(directory.folder()).unwrap().count(), 0);
}

#[test]
fn another_user_is_kept_out_twice() {
    // Only root can change its user; a unit test covers the check itself.
    needs("root");
    let directory = Directory::new();
    let host = directory.serve(&[]);
    let path = socket_of(&host);
    let script = "import socket, sys\n\
        s = socket.socket(socket.AF_UNIX)\n\
        s.connect(sys.argv[1])\n\
        print(s.recv(1000))";
    let ask = || {
        let mut command = Command::new("setpriv");
        // An interpreter in root's own directory cannot be used by others.
        command.args([
            "--reuid",
            "65534",
            "--clear-groups",
            "/usr/bin/python3",
            "-c",
            script,
        ]);
        run(command.arg(&path), b"")
    };
    let kept_out = ask();
    assert!(kept_out.stderr.contains("PermissionError"), "{kept_out:?}");
    for folder in [directory.0.path(), &directory.folder()] {
        fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    }
    fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    let turned_away = ask();
    assert!(
        turned_away
            .stdout
            .contains("user 65534 may not control this host"),
        "{turned_away:?}"
    );
}

#[test]
fn without_a_named_socket_there_must_be_exactly_one_host() {
    let directory = Directory::new();
    let folder = directory.folder();
    let folder = folder.to_str().unwrap();
    for command in ["status", "swap"] {
        assert_fails(
            &directory.run(&[command]),
            69,
            &["no running host found", folder, "--control PATH"],
        );
    }
    let one = directory.serve(&[]);
    assert_eq!(directory.run(&["status"]).code, Some(0));
    let other = directory.serve(&[]);
    let sockets = [socket_of(&one), socket_of(&other)].map(|path| path.display().to_string());
    let pid = Path::new(&sockets[0])
        .file_stem()
        .unwrap()
        .to_str()
        .unwrap();
    assert_fails(
        &directory.run(&["status"]),
        69,
        &[
            "several hosts",
            &sockets[0],
            &sockets[1],
            &format!("(pid {pid})"),
        ],
    );
    let named = directory.run(&["status", "--control", &sockets[1]]);
    assert!(named.stdout.contains(other.uri()), "{named:?}");
    other.stop();
    assert!(directory.run(&["status"]).stdout.contains(one.uri()));
}

#[test]
fn what_a_killed_host_leaves_behind_is_no_obstacle() {
    let directory = Directory::new();
    let path = directory.socket();
    let mut killed = directory.serve(&["--control", &path]);
    let mut also_killed = directory.serve(&[]);
    for host in [&mut killed, &mut also_killed] {
        socket_of(host);
        host.process.signal(Signal::KILL);
        host.process.wait();
    }
    assert!(Path::new(&path).exists());
    assert_fails(
        &directory.run(&["status", "--control", &path]),
        69,
        &["no host answers on control socket", &path],
    );
    assert_fails(&directory.run(&["status"]), 69, &["no running host found"]);
    let host = directory.serve(&["--control", &path]);
    assert_eq!(socket_of(&host), Path::new(&path));
    assert_eq!(directory.run(&["status", "--control", &path]).code, Some(0));
}

#[test]
fn a_named_socket_must_be_had_and_the_default_need_not() {
    let directory = Directory::new();
    let path = directory.socket();
    let host = directory.serve(&["--control", &path]);
    let second = [
        "serve",
        "--listen",
        "tcp://127.0.0.1:0",
        "--log-level",
        "off",
        "--control",
    ];
    let second = |path: &str| directory.run(&[&second[..], &[path]].concat());
    assert_fails(
        &second(&path),
        69,
        &["a running host has its control socket at", &path],
    );
    assert_fails(
        &second("/no/such/folder/x"),
        69,
        &["cannot create the control socket /no/such"],
    );
    let file = directory.0.path().join("file");
    fs::write(&file, "precious").unwrap();
    assert_fails(
        &second(file.to_str().unwrap()),
        69,
        &["the path exists and is not a socket"],
    );
    assert_eq!(fs::read(&file).unwrap(), b"precious");
    host.stop();

    fs::set_permissions(directory.0.path(), Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(directory.folder()).unwrap();
    fs::set_permissions(directory.folder(), Permissions::from_mode(0o755)).unwrap();
    let host = directory.serve(&[]);
    let warning = host.wait_for_log("serving without a control socket");
    assert!(warning.contains("is open to other users"), "{warning}");
    host.connect().ask("hello");
    assert_fails(
        &directory.run(&["status"]),
        69,
        &[
            "is open to other users",
            "name a control socket with --control",
        ],
    );
}

#[test]
fn there_need_not_be_one() {
    let directory = Directory::new();
    let flag = directory.serve(&["--no-control"]);
    let mut variable = directory.command();
    variable.arg("serve").env("ECHO_HOST_NO_CONTROL", "1");
    let variable = Host::start(&mut variable, &["--control", &directory.socket()]);
    assert_eq!(fs::read_dir(directory.0.path()).unwrap().count(), 0);
    for host in [flag, variable] {
        assert!(!host.stop().contains("control socket"));
    }
    let both = ["serve", "--no-control", "--takeover"];
    assert_eq!(directory.run(&both).code, Some(2));
}

#[test]
fn whoever_misbehaves_there_troubles_nobody() {
    let directory = Directory::new();
    let host = directory.serve(&[]);
    let path = socket_of(&host);
    let silent: Vec<_> = (0..40)
        .map(|_| UnixStream::connect(&path).unwrap())
        .collect();
    let mut garbage = UnixStream::connect(&path).unwrap();
    let sent = garbage.write_all(&vec![b'x'; 64 << 20]);
    assert!(sent.is_err(), "the host reads on and on");
    let mut reply = String::new();
    // A reset follows the line, as the host has not read everything.
    BufReader::new(garbage).read_line(&mut reply).unwrap();
    assert!(
        reply.contains("the request is longer than 65536 bytes"),
        "{reply}"
    );

    assert_eq!(directory.run(&["status"]).code, Some(0));
    assert_eq!(host.connect().ask("hello"), "hello");
    for mut stream in silent {
        let mut reply = String::new();
        match stream.read_to_string(&mut reply) {
            Ok(_) => assert!(reply.contains("no request came within 5 s"), "{reply}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }
}

#[test]
fn a_swap_prints_what_replaced_what() {
    let directory = Directory::new();
    let swapped = "{\"version\":1,\"swapped\":{\"generation\":4,\"replaced\":3,\
        \"handler\":\"/srv/a.wasm\",\"sha256\":\"0123456789abcdef\"}}\n";
    for (index, (args, request)) in [
        (&["calc.wasm"][..], "swap"),
        (&[], "swap"),
        (&["--rollback"], "roll-back"),
    ]
    .into_iter()
    .enumerate()
    {
        let path = format!("{}{index}", directory.socket());
        let host = answer_once(&path, swapped);
        let mut command = directory.command();
        command
            .arg("swap")
            .args(args)
            .env("ECHO_HOST_CONTROL", &path);
        let finished = run(command.current_dir("/"), b"");
        assert_eq!(finished.code, Some(0), "{finished:?}");
        assert_eq!(
            finished.stdout,
            "generation 4 (sha256 01234567…) replaced generation 3\n"
        );
        let sent = host.join().unwrap();
        assert_eq!(sent["command"], request);
        let handler = args.first().filter(|arg| !arg.starts_with('-'));
        let absolute = handler.map(|name| Value::from(format!("/{name}")));
        assert_eq!(sent["handler"], absolute.unwrap_or(Value::Null));
    }
}

#[test]
fn a_refusal_is_told_with_its_details() {
    let directory = Directory::new();
    let path = directory.socket();
    let refused = "{\"version\":1,\"refused\":{\"reason\":\"calc.exchange: 1 of 2 went otherwise\",\
        \"detail\":\"- < 3\\n+ < 4\\u001b[2J\\n\"}}\n";
    let host = answer_once(&path, refused);
    let finished = directory.run(&["swap", "--control", &path]);
    host.join().unwrap();
    assert_eq!(finished.code, Some(65));
    assert_eq!(finished.stdout, "");
    assert_eq!(
        finished.stderr,
        "echo-host: calc.exchange: 1 of 2 went otherwise\n- < 3\n+ < 4\\u{1b}[2J\n"
    );
    fs::remove_file(&path).unwrap();

    let host = answer_once(&path, "{\"version\":2,\"error\":\"speak up\"}\n");
    let finished = directory.run(&["swap", "--control", &path]);
    host.join().unwrap();
    assert_fails(&finished, 69, &["refused: speak up"]);
    assert_eq!(
        directory.run(&["swap", "x.wasm", "--rollback"]).code,
        Some(2)
    );
}

#[test]
fn a_host_refuses_what_is_no_handler_and_serves_on() {
    let directory = Directory::new();
    let host = directory.serve(&[]);
    assert_eq!(directory.run(&["swap", "/no/such.wasm"]).code, Some(65));
    assert_eq!(directory.run(&["swap", "--rollback"]).code, Some(65));
    assert_eq!(host.connect().ask("hello"), "hello");
}

#[test]
fn a_stranger_who_listens_is_told_nothing() {
    // Only root can start a process of another user.
    needs("root");
    let folder = tempfile::tempdir().unwrap();
    let open = folder.path().join("open");
    fs::create_dir(&open).unwrap();
    for path in [folder.path(), &open] {
        fs::set_permissions(path, Permissions::from_mode(0o777)).unwrap();
    }
    let socket = open.join("host.sock");
    let script = "
import os, socket, sys
os.setgid(65534); os.setuid(65534)
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print('ready', flush=True)
print(len(listener.accept()[0].recv(1000)), flush=True)
";
    let stranger = Process::start(tool("python3").args(["-c", script]).arg(&socket));
    stranger.stdout.wait_for("ready");
    let control = socket.to_str().unwrap();
    let refused = echo_host(&["swap", &guest("echo"), "--control", control]);
    assert_eq!(refused.code, Some(69), "{refused:?}");
    let reason = format!("control socket {control} belongs to a process of user 65534");
    assert!(refused.stderr.contains(&reason), "{refused:?}");
    stranger.stdout.wait_for("0");
}
