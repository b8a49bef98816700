//! Any number of versions of handlers, made without a compiler.

use crate::fixture::guest;
use std::fs;

/// A responder in text form. It answers each line with its version, the line and a line ending;
/// `--framing lines` cuts the lines.
pub fn signer(version: &str) -> Vec<u8> {
    signer_with("", version)
}

/// The same, but it also imports networks.
pub fn networker(version: &str) -> Vec<u8> {
    signer_with(
        r#"(import "wasi:sockets/instance-network@0.2.6" (instance))"#,
        version,
    )
}

fn signer_with(head: &str, version: &str) -> Vec<u8> {
    let prefix = format!("{version} ");
    let begin = 16 + prefix.len();
    let added = prefix.len() + 1;
    responder(
        head,
        &format!(
            r#"(data (i32.const 16) "{prefix}")
            (func (export "realloc") (param i32 i32 i32 i32) (result i32)
              (if (i32.gt_u (local.get 3) (i32.const 60000)) (then unreachable))
              (i32.const {begin}))"#
        ),
        &format!(
            r"(i32.store8 (i32.add (local.get 0) (local.get 1)) (i32.const 10))
            (i32.store (i32.const 0) (i32.const 16))
            (i32.store (i32.const 4) (i32.add (local.get 1) (i32.const {added})))
            (i32.const 0)"
        ),
    )
}

/// A responder that loads and traps at every message.
pub fn trapping() -> Vec<u8> {
    responder("", ALLOCATOR, "unreachable")
}

/// A responder that answers nothing.
pub fn silent() -> Vec<u8> {
    responder("", ALLOCATOR, "i32.const 0")
}

/// A responder that traps during instantiation.
pub fn stillborn() -> Vec<u8> {
    responder(
        "(core module $s (func $f unreachable) (start $f)) (core instance (instantiate $s))",
        ALLOCATOR,
        "unreachable",
    )
}

const ALLOCATOR: &str =
    r#"(func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 16)"#;

fn responder(head: &str, parts: &str, body: &str) -> Vec<u8> {
    format!(
        r#"(component {head}
          (core module $m
            (memory (export "memory") 1)
            {parts}
            (func (export "respond") (param i32 i32) (result i32) {body}))
          (core instance $i (instantiate $m))
          (func (export "respond") (param "message" (list u8)) (result (list u8))
            (canon lift (core func $i "respond") (memory $i "memory") (realloc (func $i "realloc")))))"#
    )
    .into_bytes()
}

/// The counter, which signs its replies with this version of at most eight characters: see its
/// source.
pub fn counter(version: &str) -> Vec<u8> {
    let mark = b"counter-version=";
    let mut component = fs::read(guest("counter")).unwrap();
    let positions: Vec<_> = (0..component.len() - mark.len())
        .filter(|at| component[*at..].starts_with(mark))
        .collect();
    let [position] = positions[..] else {
        panic!("the mark is there {} times", positions.len());
    };
    let begin = position + mark.len();
    component[begin..begin + 8].copy_from_slice(format!("{version:8}").as_bytes());
    component
}

/// The same, as another component: two hosts that compile one at the same time share its place in
/// the cache, and the one that comes second may compile it again in its own process.
pub fn own_counter(version: &str) -> Vec<u8> {
    let mut component = counter(version);
    // A custom section of four bytes, whose name is `own`.
    component.extend(b"\0\x04\x03own");
    component
}

/// Files that are not handlers: the kind, the bytes, and the error message.
pub fn bad() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let whole = counter("v0");
    vec![
        ("truncated", whole[..whole.len() / 2].to_vec(), "is truncated"),
        ("module", b"\0asm\x01\0\0\0".to_vec(), "is a core WebAssembly module"),
        (
            "foreign",
            br#"(component (instance $i) (export "wasi:http/incoming-handler@0.2.3" (instance $i)))"#
                .to_vec(),
            "does not export `respond`",
        ),
        ("stillborn", stillborn(), "cannot be started"),
        ("empty", Vec::new(), "is empty"),
    ]
}
