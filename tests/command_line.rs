//! The commands as people type them.

use crate::fixture::{Client, Finished, Host, Process, echo_host, guest, run};
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    command.args(args);
    command
}

fn assert_fails(finished: &Finished, code: i32, reason: &str) {
    assert_eq!(finished.code, Some(code), "{finished:?}");
    assert!(
        finished
            .stderr
            .lines()
            .next()
            .unwrap_or_default()
            .contains(reason),
        "{finished:?}"
    );
    assert!(
        !finished.stderr.contains("backtrace") && !finished.stderr.contains("panicked"),
        "{finished:?}"
    );
}

#[test]
fn bad_values_are_usage_errors_that_say_what_is_expected() {
    for (option, value, reason) in [
        ("--listen", "8888", "expected tcp://ADDR:PORT"),
        ("--listen", "tcp://127.0.0.1:99999", "`99999` is not a port"),
        ("--framing", "words", "expected chunks, lines"),
        ("--framing", "fixed:0", "a fixed message is 1 to"),
        ("--max-message", "many", "expected a size such as"),
        ("--max-memory", "1KiB", "must be from 64KiB to 4GiB"),
        ("--call-timeout", "1", "unit missing: 1s?"),
        ("--call-timeout", "1 parsec", "expected a time such as"),
        ("--idle-timeout", "never", "or off"),
        ("--isolation", "none", "invalid value 'none'"),
        ("--env", "=x", "expected KEY=VALUE"),
        ("--dir", "::", "expected HOST or HOST::GUEST"),
        ("--workers", "0", "invalid value '0'"),
        ("--handshake-timeout", "soon", "expected a time such as"),
        ("--log-level", "loud", "invalid value 'loud'"),
    ] {
        assert_fails(&echo_host(&["serve", option, value]), 2, reason);
    }
    assert_fails(
        &echo_host(&["connect", "ftp://127.0.0.1:1"]),
        2,
        "`ftp:` is not supported",
    );
    for (arguments, reason) in [
        (
            ["connect", "stdio:"],
            "expected a tcp://, tls://, telnet://, udp://, ws://, wss:// or unix: endpoint",
        ),
        (
            ["bench", "tls://127.0.0.1:1"],
            "expected a tcp://, udp:// or ws:// endpoint",
        ),
        (
            ["bench", "unix:/run/echo.sock"],
            "expected a tcp://, udp:// or ws:// endpoint",
        ),
    ] {
        assert_fails(&echo_host(&arguments), 2, reason);
    }
    assert_fails(&echo_host(&["bogus"]), 2, "unrecognized subcommand 'bogus'");
}

#[test]
fn what_cannot_be_listened_on() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("tcp://{}", taken.local_addr().unwrap());
    let finished = echo_host(&["serve", "--listen", &uri]);
    assert_fails(
        &finished,
        69,
        &format!("cannot listen on {uri}: address already in use by `"),
    );
    let this = format!("`, process {}\n", std::process::id());
    assert!(finished.stderr.contains(&this), "{finished:?}");
    assert_eq!(finished.stdout, "");
    // TEST-NET-1 of RFC 5737: an address without a host.
    let finished = echo_host(&["serve", "--listen", "tcp://192.0.2.1:0"]);
    assert_fails(
        &finished,
        69,
        "cannot listen on tcp://192.0.2.1:0: this machine does not have this address",
    );
}

#[test]
fn what_makes_no_sense_together() {
    let serve = |args: &[&str]| {
        let anywhere = ["serve", "--listen", "tcp://127.0.0.1:0"];
        echo_host(&[&anywhere[..], args].concat())
    };
    let finished = serve(&["--dir", "/no/such/directory"]);
    assert_fails(&finished, 78, "cannot grant directory /no/such/directory");
    let finished = serve(&["--framing", "fixed:100", "--max-message", "99"]);
    assert_fails(&finished, 78, "exceeds --max-message 99");
    let finished = serve(&[&guest("chat"), "--isolation", "message"]);
    assert_fails(&finished, 78, "cannot serve a conversation-handler");
    let finished = serve(&[&guest("wordcount"), "--framing", "lines"]);
    assert_fails(&finished, 78, "a program, which reads a stream");
    let twice = [
        "serve",
        "--listen",
        "tcp://127.0.0.1:8888",
        "--listen",
        "tcp://127.0.0.1:8888",
    ];
    assert_fails(
        &echo_host(&twice),
        78,
        "tcp://127.0.0.1:8888 is given twice",
    );
}

/// `echo-host` in a shell that executes `before`, with its output redirected to `output`.
fn in_shell(before: &str, args: &[&str], output: &str) -> Finished {
    let mut shell = Command::new("sh");
    let script = format!("{before}; exec \"$0\" \"$@\" > {output}");
    shell
        .args(["-c", &script, env!("CARGO_BIN_EXE_echo-host")])
        .args(args);
    run(&mut shell, b"")
}

#[test]
fn output_that_cannot_be_written_is_an_io_error() {
    let full = "/dev/full";
    let called = in_shell(":", &["call", &guest("upper"), "x"], full);
    assert_fails(
        &called,
        74,
        "cannot print the reply: No space left on device",
    );
    let checked = in_shell(":", &["check", &guest("upper")], full);
    assert_fails(&checked, 74, "cannot print the result");
    let served = in_shell(
        ":",
        &["serve", "-l", "tcp://127.0.0.1:0", "--log-level", "off"],
        full,
    );
    assert_fails(&served, 74, "cannot print the addresses");
    let serve = "echo hello | \"$0\" serve --listen stdio: --log-level off > /dev/full";
    let mut shell = Command::new("sh");
    shell.args(["-c", serve, env!("CARGO_BIN_EXE_echo-host")]);
    let served = run(&mut shell, b"");
    assert_fails(
        &served,
        74,
        "standard input or output failed: No space left",
    );
}

#[test]
fn a_machine_without_room_for_the_engine_is_an_internal_error() {
    let checked = in_shell(
        "ulimit -v 1000000",
        &["check", &guest("upper")],
        "/dev/null",
    );
    assert_fails(&checked, 70, "cannot set up the Wasm engine");
}

#[test]
fn variables_set_the_same_options_and_flags_override_them() {
    let listen = "tcp://127.0.0.1:0,tcp://127.0.0.1:0";
    let mut serve = Process::start(
        command(&[]).envs([("ECHO_HOST_LISTEN", listen), ("ECHO_HOST_LOG_LEVEL", "off")]),
    );
    serve.stdout.wait_until("two addresses", |text| {
        (text.lines().count() == 2).then_some(())
    });
    serve.signal(rustix::process::Signal::TERM);
    assert_eq!(serve.wait().code(), Some(0));
    assert_eq!(serve.stderr.text(), "");

    let mut host = command(&["serve"]);
    host.envs([
        ("ECHO_HOST_HANDLER", guest("probe").as_str()),
        ("ECHO_HOST_ENV", "A=1,2\nB=3"),
        ("ECHO_HOST_ISOLATION", "shared"),
    ]);
    let host = Host::start(&mut host, &["--isolation", "message"]);
    let mut client = host.connect();
    assert_eq!(client.ask("env A"), "1,2");
    assert_eq!(client.ask("env B"), "3");
    assert_eq!(client.ask("count"), "1");

    let bad = run(
        command(&["serve"]).env("ECHO_HOST_MAX_MESSAGE", "many"),
        b"",
    );
    assert_fails(&bad, 2, "invalid value 'many' for '--max-message <SIZE>'");
}

#[test]
fn an_option_of_other_servers_suggests_ours() {
    for option in [
        &["--port", "80"][..],
        &["--port=80"],
        &["--bind", "0.0.0.0"],
        &["--host"],
    ] {
        let finished = echo_host(&[&["serve"], option].concat());
        assert_eq!(finished.code, Some(2), "{finished:?}");
        let tip = "tip: use '--listen tcp://ADDR:PORT'";
        assert!(finished.stderr.contains(tip), "{finished:?}");
    }
}

#[test]
fn alone_it_serves_the_built_in_echo_on_port_8888() {
    // The port may be taken on this machine. Then the error must say so; the help still names it.
    let mut serve = Process::start(&mut command(&[]));
    let help = echo_host(&["serve", "--help"]).stdout;
    assert!(help.contains("[default: tcp://127.0.0.1:8888]"), "{help}");
    let taken = || {
        serve
            .stderr
            .text()
            .contains("cannot listen on tcp://127.0.0.1:8888: address already in use")
    };
    if !(serve_has_failed(&serve) && taken()) {
        serve.stdout.wait_for("listening on tcp://127.0.0.1:8888");
        let mut client = Client::connect("127.0.0.1:8888".parse().unwrap());
        client.send("Hello, server!");
        client.expect("Hello, server!");
        drop(client);
        serve.signal(rustix::process::Signal::INT);
        assert_eq!(serve.wait().code(), Some(0));
    }
}

/// Waits until the process either listens or has printed why it does not.
fn serve_has_failed(serve: &Process) -> bool {
    let failed = serve.stderr.clone();
    failed.wait_until("start", |text| {
        let started = text.contains("serving the built-in echo");
        (started || text.contains("cannot listen")).then_some(!started)
    })
}

#[test]
fn the_short_help_of_serve_fits_on_a_screen() {
    let help = echo_host(&["serve", "-h"]).stdout;
    let lines: Vec<_> = help.lines().collect();
    assert!(lines.len() <= 30, "{help}");
    assert!(
        lines.iter().all(|line| line.chars().count() <= 100),
        "{help}"
    );
    let shown = lines
        .iter()
        .filter(|line| line.trim_start().starts_with('-'));
    assert_eq!(shown.count(), 11, "{help}");
    assert!(
        help.contains("more options, by topic, and examples: echo-host serve --help"),
        "{help}"
    );
    for hidden in ["[env:", "--udp-max-sessions", "--no-control"] {
        assert!(!help.contains(hidden), "{hidden}: {help}");
    }
}

#[test]
fn help_shows_examples_exit_codes_and_defaults() {
    let help = echo_host(&["--help"]).stdout;
    for part in [
        "Examples:",
        "Exit codes:",
        "  65 ",
        "  69 ",
        "  70 ",
        "  74 ",
        "  78 ",
    ] {
        assert!(help.contains(part), "no {part} in {help}");
    }
    let help = echo_host(&["serve", "--help"]).stdout;
    for part in [
        "Examples:",
        "[default: 64MiB]",
        "[default: 5s]",
        "[default: 10min]",
        "[env: ECHO_HOST_LISTEN]",
    ] {
        assert!(help.contains(part), "no {part} in {help}");
    }
    let secret = run(
        command(&["serve", "--help"]).env("ECHO_HOST_ENV", "TOKEN=secret"),
        b"",
    )
    .stdout;
    assert!(!secret.contains("secret"), "{secret}");
}

#[test]
fn colours_are_for_terminals_and_not_for_no_color() {
    let coloured = |no_color: &str| {
        let serve = format!(
            "{} serve -l tcp://127.0.0.1:0",
            env!("CARGO_BIN_EXE_echo-host")
        );
        let mut script = Command::new("script");
        script
            .args(["-qec", &serve, "/dev/null"])
            .env("NO_COLOR", no_color);
        let terminal = Process::start(&mut script);
        let coloured = terminal
            .stdout
            .wait_for("the built-in echo")
            .contains("\x1b[");
        let socket = terminal.stdout.wait_for(".sock");
        let pid = socket.rsplit_once('/').unwrap().1;
        let words = format!("/proc/{}/cmdline", pid.split_once(".sock").unwrap().0);
        // A process that has ended has none, even as a zombie.
        let runs = || fs::read(&words).is_ok_and(|words| !words.is_empty());
        assert!(runs());
        // The host ends with its terminal.
        drop(terminal);
        let deadline = Instant::now() + Duration::from_secs(30);
        while runs() {
            assert!(Instant::now() < deadline, "the host outlives its terminal");
            std::thread::yield_now();
        }
        coloured
    };
    assert!(coloured(""));
    assert!(!coloured("1"));
}

#[test]
fn call_gives_one_message_and_prints_the_reply_byte_for_byte() {
    let upper = guest("upper");
    let finished = echo_host(&["call", &upper, "Hello, client!"]);
    assert_eq!(
        (finished.code, finished.stdout.as_str()),
        (Some(0), "HELLO, CLIENT!")
    );
    let finished = run(&mut command(&["call", &upper]), b"a\0b\r\n");
    assert_eq!(
        (finished.code, finished.stdout.as_bytes()),
        (Some(0), &b"A\0B\r\n"[..])
    );
    let finished = run(
        &mut command(&["call", &upper, "--max-memory", "2MiB"]),
        &vec![b'x'; 3 << 20],
    );
    assert_fails(&finished, 74, "longer than the handler's");
}

#[test]
fn check_tells_what_a_handler_is() {
    let checked = echo_host(&["check", &guest("reverse")]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    for part in [
        "framed-responder",
        "reverse 0.1.0",
        "lines",
        "up to 65536 bytes",
        "only those of a plain program",
        "written   in Rust\n",
        " bytes\n",
        "compiled  in ",
        "memory    196608 bytes in a new instance\n",
    ] {
        assert!(checked.stdout.contains(part), "no {part:?} in {checked:?}");
    }
    let checked = echo_host(&["check", &guest("echo")]);
    assert!(
        checked.stdout.contains("not declared: chunks"),
        "{checked:?}"
    );
}

#[test]
fn check_lists_the_imports_of_a_handler_beyond_those_of_a_plain_program() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("handler.wat");
    let import = r#"(component (import "wasi:sockets/instance-network@0.2.0" (instance))"#;
    let echo = std::fs::read_to_string(crate::fixture::root().join("guest/echo.wat")).unwrap();
    std::fs::write(&path, echo.replacen("(component", import, 1)).unwrap();
    let checked = echo_host(&["check", path.to_str().unwrap()]);
    assert!(
        checked
            .stdout
            .contains("imports   wasi:sockets/instance-network  --allow-connect HOST:PORT\n"),
        "{checked:?}"
    );
}

/// A component whose producers section contains this.
fn made_by(maker: &str, inside: &str) -> Finished {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("handler.wat");
    let text =
        format!(r#"(component (core module (@producers (processed-by "{maker}" "1"))) {inside})"#);
    fs::write(&path, text).unwrap();
    echo_host(&["check", path.to_str().unwrap()])
}

#[test]
fn check_tells_how_a_language_exports_what_is_missing() {
    for (maker, how) in [
        (
            "wit-bindgen-rust",
            "hint: in Rust, export it with wit-bindgen's macro `export!`",
        ),
        ("wit-bindgen-c", "hint: in C, define the function"),
        (
            "Go cmd/compile",
            "hint: in Go, define the function `Respond`",
        ),
        (
            "ComponentizeJS",
            "hint: in JavaScript, write `export function",
        ),
        (
            "component-init-transform",
            "hint: in Python, define the method `respond`",
        ),
    ] {
        let checked = made_by(maker, "");
        assert_eq!(checked.code, Some(65), "{checked:?}");
        assert!(
            checked.stderr.contains("does not export `respond`"),
            "{checked:?}"
        );
        assert!(checked.stderr.contains(how), "{checked:?}");
    }
}

#[test]
fn how_to_export_respond_is_told_only_where_it_is_missing() {
    let other = r#"(core module $m (func (export "f"))) (core instance $i (instantiate $m))
        (func (export "respond") (canon lift (core func $i "f")))"#;
    let checked = made_by("wit-bindgen-rust", other);
    assert_eq!(checked.code, Some(65), "{checked:?}");
    assert!(
        checked.stderr.contains("exports `respond` as"),
        "{checked:?}"
    );
    assert!(!checked.stderr.contains("in Rust"), "{checked:?}");
}

#[test]
fn check_knows_what_goes_wrong_in_some_languages() {
    let http = r#"(import "wasi:http/types@0.2.0" (instance))"#;
    let echo = fs::read_to_string(crate::fixture::root().join("guest/echo.wat")).unwrap();
    let (_, responder) = echo.split_once("(component").unwrap();
    let responder = responder.trim_end().strip_suffix(')').unwrap();
    let checked = made_by("ComponentizeJS", &format!("{http}{responder}"));
    assert_eq!(checked.code, Some(65), "{checked:?}");
    assert!(
        checked.stderr.contains("build it with `--disable all`"),
        "{checked:?}"
    );
    for (maker, beware) in [
        ("Go cmd/compile", "its collector may trap"),
        ("ComponentizeJS", "never frees what a call allocates"),
        (
            "component-init-transform",
            "the same numbers in every instance",
        ),
    ] {
        let checked = made_by(maker, responder);
        assert_eq!(checked.code, Some(0), "{checked:?}");
        assert!(checked.stdout.contains(beware), "{checked:?}");
    }
}

#[test]
fn connect_is_one_half_of_a_pipe() {
    let host = Host::serve(&[&guest("upper")]);
    let finished = run(
        &mut command(&["connect", host.uri()]),
        b"one\ntwo\nno newline",
    );
    assert_eq!(
        (
            finished.code,
            finished.stdout.as_str(),
            finished.stderr.as_str()
        ),
        (Some(0), "ONE\nTWO\nNO NEWLINE", "")
    );
    let finished = run(
        &mut command(&["connect", "--hex", host.uri()]),
        b"\x00\xffhi",
    );
    let row = "00000000  00 ff 48 49                                      |..HI|\n";
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(0), row));
}

#[test]
fn connect_shows_replies_while_the_input_is_still_open() {
    let host = Host::serve(&[&guest("reverse")]);
    let mut connect = Process::start(&mut command(&["connect", host.uri()]));
    for (line, reply) in [("one\n", "eno"), ("two\n", "owt")] {
        connect
            .stdin()
            .as_mut()
            .unwrap()
            .write_all(line.as_bytes())
            .unwrap();
        connect.stdout.wait_for(reply);
    }
    *connect.stdin() = None;
    assert_eq!(connect.wait().code(), Some(0));
}

#[test]
fn connect_ends_when_the_server_does() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("tcp://{}", server.local_addr().unwrap());
    let mut connect = Process::start(&mut command(&["connect", &uri]));
    let (mut stream, _) = server.accept().unwrap();
    stream.write_all(b"bye\n").unwrap();
    drop(stream);
    // Its own input is still open.
    assert_eq!(connect.wait().code(), Some(0));
    assert_eq!(connect.stdout.text(), "bye\n");
    drop(server);
    assert_fails(
        &echo_host(&["connect", &uri]),
        69,
        &format!("cannot connect to {uri}: Connection refused"),
    );
}
