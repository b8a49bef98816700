//! What the host writes to standard error.

use crate::fixture::{Client, Host, Sender, echo_host, guest, run, tool};
use crate::swap::post::Folder;
use serde_json::{Map, Value};
use std::process::Command;

fn probe(args: &[&str]) -> Host {
    Host::serve(&[&[guest("probe").as_str()][..], args].concat())
}

#[test]
fn what_a_guest_prints_is_a_line_of_its_connection() {
    let host = probe(&[]);
    let mut client = host.connect();
    client.ask("print good morning");
    client.ask("complain good night");
    let peer = client.stream.local_addr().unwrap();
    let line = host.wait_for_log("good morning");
    assert!(
        line.contains("INFO") && line.contains(&format!("connection{{id=1 peer={peer}}}")),
        "{line}"
    );
    assert!(host.wait_for_log("good night").contains("WARN"));
}

#[test]
fn a_guest_can_neither_drive_the_terminal_nor_forge_a_line() {
    let host = probe(&[]);
    let mut client = host.connect();
    client.ask("print \\e[2J\\e]0;title\x07 red \\r\\nERROR connection{id=7}: forged");
    host.wait_for_log("\\u{1b}[2J\\u{1b}]0;title\\u{7} red");
    let forged = host.wait_for_log("forged");
    assert!(forged.contains("connection{id=1 "), "{forged}");
    let log = host.stop();
    assert!(
        !log.contains('\x1b') && !log.contains('\x07') && !log.contains('\r'),
        "{log:?}"
    );
}

#[test]
fn what_a_handler_says_of_its_failure_is_escaped_and_cut() {
    for format in ["text", "json"] {
        for kind in ["protocol", "refused", "internal"] {
            let host = Host::serve(&[&guest("puppet"), "--log-format", format]);
            let mut client = host.connect();
            let evil = "\u{1b}[2Jx\rERROR connection{id=7}: forged\u{202e}\u{2028}";
            client.send(format!("fail {kind} {evil}{}\n", "x".repeat(20_000)));
            let line = host.wait_for_log("forged");
            assert!(line.contains("… (cut at 4096 bytes)"), "{line}");
            assert!(line.len() < 4096 + 600, "{}", line.len());
            for escaped in ["u{1b}", "u{202e}", "u{2028}"] {
                assert!(line.contains(escaped), "{escaped}: {line}");
            }
            let log = host.stop();
            for raw in ['\u{1b}', '\r', '\u{202e}', '\u{2028}'] {
                assert!(!log.contains(raw), "{raw:?}");
            }
        }
    }
}

#[test]
fn names_in_a_component_that_is_refused_are_escaped_and_cut() {
    let folder = Folder::new();
    let control = folder.path("host.sock");
    let host = Host::serve(&["--control", &control]);
    let echo = include_str!("../guest/echo.wat");
    let evil = r"url=<x\0d\0aERROR connection{id=7}: forged\1b[2J\u{202e}";
    let import = format!(
        r#"(component (import "{evil}{}>" (instance))"#,
        "y".repeat(60_000)
    );
    let handler = folder.put("handler.wat", echo.replacen("(component", &import, 1));
    let refused = echo_host(&["swap", &handler, "--control", &control]);
    assert_eq!(refused.code, Some(65), "{refused:?}");
    assert!(refused.stderr.len() < 4096 + 600, "{refused:?}");
    let line = host.wait_for_log("forged");
    assert!(line.contains("swap refused"), "{line}");
    assert!(line.contains("… (cut at 4096 bytes)"), "{line}");
    assert!(line.len() < 4096 + 600, "{}", line.len());
    let status = echo_host(&["status", "--json", "--control", &control]);
    assert!(status.stdout.len() < 16 << 10, "{}", status.stdout.len());
    let log = host.stop();
    for text in [&log, &refused.stderr, &status.stdout] {
        for raw in ['\u{1b}', '\r', '\u{202e}'] {
            assert!(!text.contains(raw), "{raw:?}: {text}");
        }
    }
}

#[test]
fn long_lines_and_floods_are_capped() {
    let host = probe(&["--max-message", "64KiB"]);
    let mut client = host.connect();
    client.ask(&format!("print {}", "x".repeat(10_000)));
    let line = host.wait_for_log("… (cut at 4096 bytes)");
    assert!(line.len() < 4096 + 300, "{}", line.len());
    client.ask(&format!("print {}", "flood\\n".repeat(5000)));
    drop(client);
    host.wait_for_log("lines dropped");
    let lines = host.stop().matches("flood").count();
    assert!((1..1000).contains(&lines), "{lines}");
}

#[test]
fn in_json_each_line_is_an_object_with_the_connection() {
    let host = probe(&["--log-format", "json", "--log-level", "debug"]);
    let mut client = host.connect();
    client.ask("print \\e[1mhello");
    client.finish();
    client.rest();
    let peer = client.stream.local_addr().unwrap().to_string();
    host.wait_for_log("closed");
    let log = host.stop();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let message = |text: &str| lines.iter().find(|line| line["message"] == text).unwrap();
    let printed = message("\\u{1b}[1mhello");
    assert_eq!(printed["level"], "INFO");
    assert_eq!(printed["peer"], Value::String(peer));
    assert_eq!(printed["connection"], 1);
    assert_eq!(message("closed")["messages"], 1);
}

/// The object of a line of the log. Nothing in it is nested, and no key occurs twice.
fn flat(line: &str) -> Map<String, Value> {
    let object: Map<String, Value> = serde_json::from_str(line).unwrap_or_else(|why| {
        panic!("{why}: {line}");
    });
    let is_nested = |value: &Value| value.is_object() || value.is_array();
    assert!(!object.values().any(is_nested), "{line}");
    // The parser keeps the last of two members, and so prints a shorter line.
    let printed = serde_json::to_string(&object).unwrap();
    assert_eq!(printed.len(), line.len(), "{line}");
    object
}

#[test]
fn in_json_the_lines_of_a_busy_host_are_flat_and_name_the_service() {
    let folder = Folder::new();
    let config = format!(
        r#"
        log-format = "json"
        log-level = "trace"
        [service.talk]
        handler = "{}"
        listen = ["tcp://127.0.0.1:0"]
        [service.fails]
        handler = "{}"
        listen = ["tcp://127.0.0.1:0", "udp://127.0.0.1:0"]
        max-message = "64B"
        "#,
        guest("probe"),
        guest("puppet")
    );
    let config = folder.put("host.toml", config);
    let host = Host::start_as_it_is(
        Command::new(env!("CARGO_BIN_EXE_echo-host")).args(["serve", "--config", &config]),
        3,
    );
    let [fails, udp, talk] = host.addresses()[..] else {
        panic!("{:?}", host.uris())
    };
    for _ in 0..20 {
        let mut client = Client::connect(talk);
        client.ask("print \\e[1mhello \"{}\"");
        let mut too_long = Client::connect(fails);
        too_long.send("x".repeat(100));
        too_long.rest();
        let mut failing = Client::connect(fails);
        failing.send("fail internal \"reason\": {\n");
        failing.rest();
    }
    Sender::to(udp).send("fail protocol {\n");
    host.wait_for_log("broke the protocol");
    let log = host.stop();
    let lines: Vec<_> = log.lines().map(flat).collect();
    for line in &lines {
        for key in ["timestamp", "level", "message", "target"] {
            assert!(line[key].is_string(), "{key}: {line:?}");
        }
        let of_client = line.contains_key("connection");
        assert_eq!(of_client, line.contains_key("peer"), "{line:?}");
        assert!(!of_client || line.contains_key("service"), "{line:?}");
    }
    for service in ["talk", "fails"] {
        let is_its = |line: &&Map<String, Value>| {
            line.get("service").is_some_and(|it| it == service) && line.contains_key("connection")
        };
        assert!(lines.iter().filter(is_its).count() > 20, "{log}");
    }
}

fn closed_lines(log: &str) -> Vec<Map<String, Value>> {
    let lines = log.lines().map(flat);
    let is_end = |line: &Map<_, _>| line["message"].as_str().unwrap().starts_with("closed");
    lines.filter(is_end).collect()
}

#[test]
fn each_connection_has_a_line_at_its_end() {
    let host = Host::serve(&[&guest("puppet"), "--log-format", "json"]);
    let greeted = || {
        let mut client = host.connect();
        assert_eq!(client.line(), "ready");
        client
    };
    let mut client = greeted();
    client.ask("say hello");
    client.finish();
    client.rest();
    let mut failing = greeted();
    failing.send("fail internal\n");
    failing.expect_closed();
    let mut last = greeted();
    last.ask("say hello");
    host.wait_for_log("the handler failed");
    host.wait_for_log("\"end\":\"finished\"");
    let uri = host.uri().to_owned();
    let ends = closed_lines(&host.stop());
    assert_eq!(ends.len(), 3, "{ends:?}");
    let of = |sent_bytes, end| {
        let is_it = |line: &&Map<_, _>| line["end"] == end && line["sent_bytes"] == sent_bytes;
        let line = ends.iter().find(is_it);
        line.unwrap_or_else(|| panic!("{sent_bytes} {end}: {ends:?}"))
    };
    // The puppet says goodbye when the host stops.
    let goodbye = 6 + 6 + 8;
    let [first, second, third] = [of(16, "finished"), of(6, "failed"), of(goodbye, "finished")];
    assert_eq!(first["level"], "INFO");
    assert_eq!(first["message"], "closed");
    for (name, value) in [("received_bytes", 10), ("sent_bytes", 16), ("messages", 1)] {
        assert_eq!(first[name], value, "{first:?}");
    }
    assert_eq!(
        (&first["generation"], &first["end"]),
        (&1.into(), &"finished".into())
    );
    assert_eq!(first["listener"], Value::String(uri));
    assert!(
        first["duration_ms"].is_u64() && first["peer"].is_string(),
        "{first:?}"
    );
    assert_eq!(
        (&second["level"], &second["end"]),
        (&"WARN".into(), &"failed".into())
    );
    assert_eq!(
        (&third["messages"], &third["end"]),
        (&1.into(), &"finished".into())
    );
}

#[test]
fn a_connection_that_is_cut_has_its_line_too() {
    let host = Host::serve(&["--drain-timeout", "10ms", "--log-format", "json"]);
    let mut client = host.connect();
    client.send("four");
    client.expect("four");
    let ends = closed_lines(&host.stop());
    assert_eq!(ends.len(), 1, "{ends:?}");
    assert_eq!(
        (&ends[0]["end"], &ends[0]["sent_bytes"]),
        (&"cut".into(), &4.into())
    );
}

#[test]
fn health_checks_have_a_line_at_level_debug() {
    for (args, level) in [
        (&[][..], None),
        (&["--log-level", "debug"][..], Some("DEBUG")),
    ] {
        let host = Host::serve(&[&["--log-format", "json"][..], args].concat());
        let mut check = host.connect();
        check.finish();
        check.rest();
        host.wait_for_open(0);
        let ends = closed_lines(&host.stop());
        let levels: Vec<_> = ends
            .iter()
            .map(|end| end["level"].as_str().unwrap())
            .collect();
        assert_eq!(levels, Vec::from_iter(level));
    }
}

#[test]
fn a_proxy_that_checks_the_host_is_not_logged_although_it_is_greeted() {
    let host = Host::serve(&[
        &guest("chat"),
        "--proxy-from",
        "127.0.0.1",
        "--log-format",
        "json",
    ]);
    let mut check = host.connect();
    check.send(b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0");
    check.line();
    check.finish();
    check.rest();
    host.wait_for_open(0);
    assert_eq!(closed_lines(&host.stop()).len(), 0);
}

#[test]
fn an_operator_can_do_without_a_line_for_each_connection() {
    let host = Host::serve(&["--log-connections", "off", "--log-format", "json"]);
    let mut client = host.connect();
    client.send("four");
    client.finish();
    client.rest();
    host.wait_for_open(0);
    assert_eq!(closed_lines(&host.stop()).len(), 0);
}

#[test]
fn clients_that_speak_http_or_tls_cause_one_hint_a_minute() {
    for (first, hint) in [
        (
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "looks like HTTP: for browsers serve http-hello",
        ),
        (
            "\x16\x03\x01\0\x04\x01\0\0\0",
            "looks like TLS: listen on tls://",
        ),
    ] {
        let host = Host::serve(&[]);
        for _ in 0..3 {
            let mut client = host.connect();
            client.send(first);
            client.finish();
            assert_eq!(client.rest(), first.as_bytes());
        }
        host.wait_for_log(hint);
        host.wait_for_open(0);
        let log = host.stop();
        assert_eq!(log.matches("looks like").count(), 1, "{log}");
    }
}

#[test]
fn a_telnet_client_of_a_plain_listener_causes_a_hint() {
    let host = Host::serve(&[&guest("reverse")]);
    let mut client = host.connect();
    client.send(b"\xff\xfb\x1f\xff\xfd\x03hello\r\n");
    host.wait_for_log("looks like telnet: listen on telnet://");
}

#[test]
fn a_client_that_gets_no_reply_causes_the_hint_when_it_leaves() {
    let host = Host::serve(&[&guest("puppet")]);
    let mut client = host.connect();
    assert_eq!(client.line(), "ready");
    client.send("\x16\x03\x01\0\x04\x01\0\0\0");
    drop(client);
    host.wait_for_log("looks like TLS");
}

#[test]
fn a_handler_that_speaks_http_causes_no_hint() {
    let host = Host::serve(&[&guest("http-hello")]);
    let mut client = host.connect();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let page = client.rest();
    assert!(
        page.starts_with(b"HTTP/1.1 200 OK"),
        "{}",
        page.escape_ascii()
    );
    host.wait_for_open(0);
    let log = host.stop();
    assert!(!log.contains("looks like"), "{log}");
}

/// A probe that takes longer than what is done silently.
const SLOW_PROBE: &str = "== slow\n< ready\n> sleep 700; say awake\n< awake\n>eof\n< eof\n";

#[test]
fn a_start_that_takes_long_says_so() {
    let folder = Folder::new();
    let probe = folder.put("slow.exchange", SLOW_PROBE);
    let host = Host::serve(&[&guest("puppet"), "--probe", &probe]);
    let line = host.wait_for_log("takes a while");
    assert!(
        line.contains("compiling and checking ") && line.contains("puppet.wasm"),
        "{line}"
    );
    assert!(!host.stop().contains('\r'));
}

#[test]
fn on_a_terminal_a_line_shows_that_a_start_goes_on() {
    let folder = Folder::new();
    let probe = folder.put("slow.exchange", SLOW_PROBE);
    let script = "\
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
shown = b''
while b'listening on' not in shown:
    shown += os.read(terminal, 4096)
os.kill(pid, 15)
os.waitpid(pid, 0)
print(ascii(shown))
";
    let mut python = tool("python3");
    python.args([
        "-c",
        script,
        env!("CARGO_BIN_EXE_echo-host"),
        "serve",
        &guest("puppet"),
    ]);
    python.args(["--probe", &probe, "--listen", "tcp://127.0.0.1:0"]);
    let finished = run(&mut python, b"");
    let shown = &finished.stdout;
    for part in [
        "\\r| compiling and checking ",
        "\\r/ compiling and ",
        "\\r\\x1b[K",
    ] {
        assert!(shown.contains(part), "{part}: {finished:?}");
    }
    assert!(!shown.contains("takes a while"), "{finished:?}");
}

#[test]
fn the_level_is_the_operators_choice() {
    let host = probe(&["--log-level", "warn"]);
    let mut client = host.connect();
    client.ask("print quiet");
    client.ask("complain loud");
    host.wait_for_log("loud");
    assert!(!host.stop().contains("quiet"));

    let host = probe(&["--log-level", "off"]);
    host.connect().ask("complain loud");
    assert_eq!(host.stop(), "");
}

#[test]
fn clients_that_misbehave_by_the_thousand_do_not_flood_the_log() {
    let host = Host::serve(&[&guest("reverse"), "--max-message", "8"]);
    for _ in 0..1000 {
        let mut client = host.connect();
        client.send("far too long");
        client.expect_closed();
    }
    let status = host.wait_for_open(0);
    let left_out = status["limits_reached"]["connection-log"].as_u64().unwrap();
    assert!(left_out > 0);
    let log = host.stop();
    let shown = log.matches("closed: the client broke the framing").count() as u64;
    assert_eq!(shown + left_out, 1000);
    assert!(log.contains("broken_framing=1000"), "{log}");
}

/// Logs each message at every level of `wasi:logging`, and answers nothing.
const LOGS_AT_EACH_LEVEL: &str = r#"(component
  (import "wasi:logging/logging@0.1.0-draft" (instance $logging
    (type $level' (enum "trace" "debug" "info" "warn" "error" "critical"))
    (export "level" (type $level (eq $level')))
    (export "log" (func (param "level" $level) (param "context" string) (param "message" string)))))
  (core module $memory
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 1024))
    (data (i32.const 16) "greeting")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $top)
      (global.set $top (i32.add (global.get $top) (local.get 3)))))
  (core instance $m (instantiate $memory))
  (core func $log (canon lower (func $logging "log") (memory $m "memory")))
  (core module $handler
    (import "m" "memory" (memory 1))
    (import "logging" "log" (func $log (param i32 i32 i32 i32 i32)))
    (func (export "respond") (param $message i32) (param $length i32) (result i32)
      (local $level i32)
      (loop $next
        (call $log (local.get $level) (i32.const 16) (i32.const 8) (local.get $message) (local.get $length))
        (local.set $level (i32.add (local.get $level) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $level) (i32.const 6))))
      (i32.store (i32.const 4) (i32.const 0))
      (i32.const 0)))
  (core instance $h (instantiate $handler
    (with "m" (instance $m))
    (with "logging" (instance (export "log" (func $log))))))
  (func (export "respond") (param "message" (list u8)) (result (list u8))
    (canon lift (core func $h "respond") (memory $m "memory") (realloc (func $m "realloc")))))"#;

#[test]
fn what_a_guest_logs_at_a_level_arrives_at_that_level() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logs.wat");
    std::fs::write(&path, LOGS_AT_EACH_LEVEL).unwrap();
    let path = path.to_str().unwrap();
    let host = Host::serve(&[path, "--framing", "lines", "--log-format", "json"]);
    let mut client = host.connect();
    client.send("good \x1b[1m\tmorning\n");
    client.finish();
    assert_eq!(client.rest(), b"");
    let log = host.stop();
    let said = log.lines().filter(|line| line.contains("morning"));
    let said: Vec<Value> = said
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    // The lines below are unexpected.
    let levels: Vec<_> = said.iter().map(|line| &line["level"]).collect();
    assert_eq!(levels, ["INFO", "WARN", "ERROR", "ERROR"], "{log}");
    for line in said {
        assert_eq!(line["target"], "guest");
        assert_eq!(line["context"], "greeting");
        assert_eq!(line["message"], "good \\u{1b}[1m\\tmorning");
        assert_eq!(line["connection"], 1);
    }
    let checked = crate::fixture::echo_host(&["check", path]);
    assert!(
        checked.stdout.contains("only those of a plain program"),
        "{checked:?}"
    );
}
