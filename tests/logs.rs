//! What the host writes to standard error.

use crate::fixture::{Host, echo_host, guest};
use crate::swap::post::Folder;
use serde_json::Value;

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
    let message = |text: &str| {
        lines
            .iter()
            .find(|line| line["fields"]["message"] == text)
            .unwrap()
    };
    let printed = message("\\u{1b}[1mhello");
    assert_eq!(printed["level"], "INFO");
    assert_eq!(printed["span"]["peer"], Value::String(peer));
    assert_eq!(message("closed")["fields"]["messages"], 1);
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
    // Nobody asked for what is below.
    let levels: Vec<_> = said.iter().map(|line| &line["level"]).collect();
    assert_eq!(levels, ["INFO", "WARN", "ERROR", "ERROR"], "{log}");
    for line in said {
        assert_eq!(line["target"], "guest");
        assert_eq!(line["fields"]["context"], "greeting");
        assert_eq!(line["fields"]["message"], "good \\u{1b}[1m\\tmorning");
        assert_eq!(line["span"]["id"], 1);
    }
    let checked = crate::fixture::echo_host(&["check", path]);
    assert!(
        checked.stdout.contains("nothing beyond a plain program"),
        "{checked:?}"
    );
}
