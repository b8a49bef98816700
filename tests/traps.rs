//! What is told of a trap: the guest's stack with names, in full once for each place, and lines of
//! source for the author only.

use crate::fixture::{Host, echo_host};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A responder whose `respond` calls a function, which divides by zero if the message is not empty,
/// and runs into `unreachable` otherwise. The names are those of these functions.
fn responder(outer: &str, inner: &str) -> String {
    format!(
        r#"(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 8)
    (func {inner} (param $length i32) (result i32)
      (if (i32.eqz (local.get $length)) (then unreachable))
      (i32.div_u (local.get $length)
        (i32.const 0)))
    (func {outer} (export "respond") (param i32 i32) (result i32)
      (call {inner} (local.get 1))))
  (core instance $i (instantiate $m))
  (func (export "respond") (param "message" (list u8)) (result (list u8))
    (canon lift (core func $i "respond") (memory $i "memory") (realloc (func $i "realloc")))))"#
    )
}

const OUTER: &str = "$answer";
/// As Rust's compiler mangles `calc::expression::divide`.
const INNER: &str = "$_ZN4calc10expression6divide17h0123456789abcdefE";

fn file(folder: &TempDir, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

/// The component of a text whose DWARF says where each instruction is in the text.
fn with_lines(folder: &TempDir) -> PathBuf {
    let text = file(folder, "handler.wat", responder(OUTER, INNER));
    let mut parser = wat::Parser::new();
    parser.generate_dwarf(wat::GenerateDwarf::Full);
    file(folder, "handler.wasm", parser.parse_file(text).unwrap())
}

fn call(handler: &Path, message: &str) -> String {
    let finished = echo_host(&["call", handler.to_str().unwrap(), message]);
    assert_eq!(finished.code, Some(65), "{finished:?}");
    assert!(finished.is_one_error(), "{finished:?}");
    finished.stderr
}

#[test]
fn a_trap_is_logged_with_its_stack_once_and_then_counted() {
    let folder = tempfile::tempdir().unwrap();
    let handler = file(&folder, "handler.wat", responder(OUTER, INNER));
    let host = Host::serve(&[handler.to_str().unwrap(), "--framing", "lines"]);
    let lines = |line: &str, times: usize| {
        for _ in 0..times {
            let mut client = host.connect();
            client.send(line);
            client.expect_closed();
        }
    };
    lines("a\n", 3);
    lines("\n", 1);
    host.wait_for_log("`unreachable` instruction executed in calc::expression::divide <- answer");
    let log = host.stop();
    let divided: Vec<_> = log
        .lines()
        .filter_map(|line| {
            line.split("the handler trapped: integer divide by zero")
                .nth(1)
        })
        .map(|rest| rest.split("  ").next().unwrap().trim_end())
        .collect();
    assert_eq!(divided.len(), 3, "{log}");
    let stack = " in calc::expression::divide <- answer";
    assert!(divided[0].starts_with(stack), "{log}");
    for (times, line) in [(2, divided[1]), (3, divided[2])] {
        let counted = format!(" in calc::expression::divide ({times} times)");
        assert!(line.starts_with(&counted), "{log}");
        assert!(!line.contains("<-"), "{log}");
    }
}

#[test]
fn names_of_functions_can_neither_forge_nor_flood_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let outer = format!(r#"$"{}""#, "long".repeat(20_000));
    let forged = r#"$"a\0a2030-01-01 WARN forged\1b[2J""#;
    let handler = file(&folder, "handler.wat", responder(&outer, forged));
    let said = call(&handler, "x");
    assert!(
        said.contains("in a\\n2030-01-01 WARN forged\\u{1b}[2J <- longlong"),
        "{said}"
    );
    assert!(said.len() < 1000, "{said}");
}

#[test]
fn lines_of_source_are_shown_to_the_author_only() {
    let folder = tempfile::tempdir().unwrap();
    let handler = with_lines(&folder);
    let said = call(&handler, "x");
    let inner = "integer divide by zero in calc::expression::divide (";
    let place = said.split(inner).nth(1).unwrap_or_else(|| panic!("{said}"));
    assert!(place.contains("handler.wat:7) <- answer ("), "{said}");
    assert!(place.contains("handler.wat:10)"), "{said}");

    let host = Host::start(
        std::process::Command::new(env!("CARGO_BIN_EXE_echo-host"))
            .arg("serve")
            // Wasmtime's own variable for this.
            .env("WASMTIME_BACKTRACE_DETAILS", "1"),
        &[handler.to_str().unwrap()],
    );
    let mut client = host.connect();
    client.send("x");
    client.expect_closed();
    host.wait_for_log("integer divide by zero in calc::expression::divide <- answer");
    assert!(!host.stop().contains("handler.wat:"));
}

#[test]
fn the_player_shows_lines_of_source() {
    let folder = tempfile::tempdir().unwrap();
    let handler = with_lines(&folder);
    let exchange = file(&folder, "some.exchange", "== traps\n> x\n< y\n");
    let [handler, exchange] = [&handler, &exchange].map(|it| it.to_str().unwrap());
    let played = echo_host(&["test", handler, exchange]);
    assert_eq!(played.code, Some(65), "{played:?}");
    assert!(
        format!("{played:?}").contains("handler.wat:7) <- answer"),
        "{played:?}"
    );
}
