//! Everything that can be wrong with a handler: one clear line, the right exit code, no backtrace.
//! The same for `serve`, `check` and `call`, which share their code path.

use crate::fixture::{Finished, echo_host, guest};
use std::fs;
use std::path::Path;

/// A component whose `respond` executes `body`, with `head` before it.
fn responder(head: &str, body: &str) -> String {
    format!(
        r#"(component {head}
          (core module $m
            (memory (export "memory") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 8)
            (func (export "respond") (param i32 i32) (result i32) {body}))
          (core instance $i (instantiate $m))
          (func (export "respond") (param "message" (list u8)) (result (list u8))
            (canon lift (core func $i "respond") (memory $i "memory") (realloc (func $i "realloc")))))"#
    )
}

fn assert_refused(finished: &Finished, code: i32, reasons: &[&str]) {
    assert_eq!(finished.code, Some(code), "{finished:?}");
    assert!(finished.is_one_error(), "{finished:?}");
    for reason in reasons {
        let said = &finished.stderr;
        assert!(said.contains(reason), "no {reason:?} in {said:?}");
    }
    assert_eq!(finished.stdout, "");
}

/// All three commands refuse it with the same words.
fn assert_bad_handler(path: &Path, reasons: &[&str]) {
    let path = path.to_str().unwrap();
    let checked = echo_host(&["check", path]);
    assert_refused(&checked, 65, &[&[path][..], reasons].concat());
    let served = echo_host(&["serve", path, "--listen", "tcp://127.0.0.1:0"]);
    assert_refused(&served, 65, &[]);
    assert_eq!(served.stderr, checked.stderr);
    assert_eq!(echo_host(&["call", path, "x"]).stderr, checked.stderr);
}

fn assert_bad_bytes(bytes: impl AsRef<[u8]>, reasons: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("handler");
    fs::write(&path, bytes).unwrap();
    assert_bad_handler(&path, reasons);
}

#[test]
fn files_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    assert_bad_handler(
        &folder.path().join("missing.wasm"),
        &["No such file or directory"],
    );
    assert_bad_handler(folder.path(), &["is a directory"]);
}

#[test]
fn files_that_are_not_components() {
    assert_bad_bytes("", &["is empty"]);
    assert_bad_bytes(
        "#!/bin/sh\necho no\n",
        &["is not WebAssembly", "`#!/bin/s`"],
    );
    assert_bad_bytes(b"\x7fELF\x02\x01\x01\0", &["is precompiled native code"]);
    assert_bad_bytes(
        b"\0asm\x01\0\0\0",
        &[
            "is a core WebAssembly module",
            "wasm32-wasip2",
            "wasm-tools component new",
        ],
    );
    assert_bad_bytes("(module)", &["is a core WebAssembly module"]);
    assert_bad_bytes(
        b"\0asm\x07\0\0\0",
        &["is an unknown version or kind of WebAssembly"],
    );
    assert_bad_bytes(
        "(component\n  (bogus))",
        &["line 2:4: expected valid component field"],
    );
}

#[test]
fn components_that_are_cut_short() {
    let whole = fs::read(guest("echo")).unwrap();
    for length in [6, 9, 100, whole.len() / 2, whole.len() - 1] {
        assert_bad_bytes(
            &whole[..length],
            &["is not a valid component, or is truncated"],
        );
    }
}

#[test]
fn components_of_another_world() {
    assert_bad_bytes(
        "(component)",
        &["does not export `respond`", "it exports nothing"],
    );
    assert_bad_bytes(
        r#"(component (instance $i) (export "wasi:http/incoming-handler@0.2.3" (instance $i)))"#,
        &[
            "does not export `respond`",
            "`wasi:http/incoming-handler@0.2.3`",
        ],
    );
    assert_bad_bytes(
        r#"(component (instance $i) (export "echo-host:handler/manifest@0.2.0" (instance $i)))"#,
        &["exports a manifest but no `respond"],
    );
    assert_bad_bytes(
        r#"(component (instance $i) (export "echo-host:handler/conversation@0.2.0" (instance $i)))"#,
        &["exports a conversation but no `echo-host:handler/manifest@0.2.0`"],
    );
    assert_bad_bytes(
        r#"(component (instance $i) (export "echo-host:handler/manifest@0.9.0" (instance $i)))"#,
        &[
            "was built for the contract echo-host:handler@0.9.0, and this host serves 0.2.0",
            "build it again",
        ],
    );
    assert_bad_bytes(
        r#"(component (instance $i) (export "echo-host:handler/manifest@0.1.0" (instance $i)))"#,
        &["was built for the contract echo-host:handler@0.1.0, and this host serves 0.2.0"],
    );
    assert_bad_bytes(
        r#"(component (instance $i) (export "echo-host:handler/manifest@0.2.7" (instance $i)))"#,
        &[
            "was built for the contract echo-host:handler@0.2.7",
            "it needs a newer host",
        ],
    );
    assert_bad_bytes(
        r#"(component
             (core module $m (func (export "respond") (param i32)))
             (core instance $i (instantiate $m))
             (func (export "respond") (param "message" u32) (canon lift (core func $i "respond"))))"#,
        &[
            "exports `respond` as a function of 1 parameters and 0 results",
            "list<u8>",
        ],
    );
}

#[test]
fn worlds_that_are_known_but_hollow() {
    assert_bad_bytes(
        r#"(component (instance $i)
             (export "echo-host:handler/manifest@0.2.0" (instance $i))
             (export "echo-host:handler/conversation@0.2.0" (instance $i)))"#,
        &["does not match the host", "describe"],
    );
    assert_bad_bytes(
        r#"(component (instance $i) (export "wasi:cli/run@0.2.6" (instance $i)))"#,
        &["does not match the host", "run"],
    );
}

#[test]
fn imports_that_are_not_offered() {
    let import = r#"(import "acme:db/query@1.0.0" (instance (export "run" (func))))"#;
    assert_bad_bytes(
        responder(import, "unreachable"),
        &["imports `acme:db/query@1.0.0`, which this host does not offer"],
    );
    let import = r#"(import "wasi:clocks/wall-clock@0.2.0" (instance (export "no-such" (func))))"#;
    assert_bad_bytes(
        responder(import, "unreachable"),
        &["does not match the host", "no-such"],
    );
}

#[test]
fn components_that_cannot_start() {
    let start =
        "(core module $s (func $f unreachable) (start $f)) (core instance (instantiate $s))";
    assert_bad_bytes(
        responder(start, "unreachable"),
        &["cannot be started", "unreachable"],
    );
    let start =
        "(core module $s (func $f (loop (br 0))) (start $f)) (core instance (instantiate $s))";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("handler.wat");
    fs::write(&path, responder(start, "unreachable")).unwrap();
    let spinning = echo_host(&["check", path.to_str().unwrap(), "--call-timeout", "200ms"]);
    assert_refused(
        &spinning,
        65,
        &["cannot be started: the handler took longer than 200ms"],
    );
    let greedy = "(core module $s (memory 2048)) (core instance (instantiate $s))";
    assert_bad_bytes(responder(greedy, "unreachable"), &["memory"]);
}

#[test]
fn a_trap_in_call_is_the_handlers_fault() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("handler.wat");
    fs::write(&path, responder("", "unreachable")).unwrap();
    let called = echo_host(&["call", path.to_str().unwrap(), "x"]);
    assert_refused(
        &called,
        65,
        &["the handler trapped: wasm `unreachable` instruction executed"],
    );
}

#[test]
fn a_bad_manifest_is_refused_at_load() {
    for (variable, reason) in [
        (
            "PUPPET_NAME=",
            "has a bad manifest: the name `` is not 1 to 64 printable characters",
        ),
        (
            "PUPPET_NAME=\x1b[31mred",
            "the name `\\u{1b}[31mred` is not",
        ),
        (
            "PUPPET_FRAMING=fixed:0",
            "invalid framing: a fixed message is 1 to",
        ),
        (
            "PUPPET_FRAMING=fixed:65537",
            "messages of 65537 bytes are longer than the handler's own limit of 65536",
        ),
        ("PUPPET_MAX=0", "the longest message is 0 bytes"),
    ] {
        let checked = echo_host(&["check", &guest("puppet"), "--env", variable]);
        assert_refused(&checked, 65, &[reason]);
    }
    let checked = echo_host(&[
        "check",
        &guest("puppet"),
        "--env",
        "PUPPET_MAX=x",
        "--log-level",
        "off",
    ]);
    assert_refused(
        &checked,
        65,
        &["cannot describe itself: the handler trapped"],
    );
}

#[test]
fn what_a_component_needs_is_named_with_the_way_out() {
    for (head, need, way_out) in [
        (
            "(tag $e (param i32)) (func (block $b (try_table (catch_all $b) (throw $e (i32.const 1)))))",
            "needs exceptions, which this host does not support",
            "-fno-exceptions",
        ),
        (
            "(type $s (struct (field i32))) (func (drop (struct.new $s (i32.const 1))))",
            "needs garbage-collected types (the gc proposal)",
            "linear memory",
        ),
        (
            "(table 1 externref)",
            "needs references to objects of the host (externref)",
            "-mno-reference-types",
        ),
        (
            "(memory 1 2 shared)",
            "needs shared memories (threads)",
            "-pthread",
        ),
    ] {
        let module = format!("(core module {head})");
        assert_bad_bytes(responder(&module, "i32.const 0"), &[need, way_out]);
    }
    let asynchronous = r#"(component
        (core module $m (func (export "f")))
        (core instance $i (instantiate $m))
        (func (export "respond") async (canon lift (core func $i "f") async)))"#;
    let need = "needs the component model's async (WASI 0.3), which this host does not support";
    assert_bad_bytes(asynchronous, &[need, "wasm32-wasip2"]);
}
