//! Handlers for the host, made without a compiler: versions of good ones, and bad ones.

/// Finds the counter's version, which is the eight bytes behind it: see its source.
const MARK: &[u8] = b"counter-version=";

/// A version of a component, with the same code and another custom section without meaning: the
/// byte 0, the length of the rest, the length of the name, the name, any bytes.
pub fn version(component: &[u8], number: u64) -> Vec<u8> {
    let content = number.to_le_bytes();
    let section = [&[0, 1 + 7 + 8, 7], &b"version"[..], &content].concat();
    [component, &section].concat()
}

/// The counter, signing its replies with another number.
pub fn counter(component: &[u8], number: u64) -> Option<Vec<u8>> {
    let position = component.windows(MARK.len()).position(|it| it == MARK)?;
    let mut other = component.to_vec();
    let version = format!("v{:<7}", number % 10_000_000);
    let begin = position + MARK.len();
    other
        .get_mut(begin..begin + version.len())?
        .copy_from_slice(version.as_bytes());
    Some(other)
}

/// Files that no host serves, by name. `good` is a valid component.
pub fn bad(good: &[u8]) -> [(&'static str, Vec<u8>); 6] {
    let start =
        "(core module $s (func $f unreachable) (start $f)) (core instance (instantiate $s))";
    let endless =
        "(core module $s (func $f (loop (br 0))) (start $f)) (core instance (instantiate $s))";
    [
        ("empty", Vec::new()),
        ("text", b"#!/bin/sh\necho no\n".to_vec()),
        ("module", b"\0asm\x01\0\0\0".to_vec()),
        ("truncated", good[..good.len() / 2].to_vec()),
        ("stillborn", responder(start, "unreachable")),
        ("endless", responder(endless, "unreachable")),
    ]
}

/// Handlers that load, and fail at every message, by name.
pub fn hostile() -> [(&'static str, Vec<u8>); 3] {
    let grows = "(loop (drop (memory.grow (i32.const 16))) (br 0)) unreachable";
    [
        ("traps", responder("", "unreachable")),
        ("spins", responder("", "(loop (br 0)) unreachable")),
        ("grows", responder("", grows)),
    ]
}

/// A component in text form whose `respond` executes `body`, with `head` before it.
fn responder(head: &str, body: &str) -> Vec<u8> {
    format!(
        r#"(component {head}
          (core module $m
            (memory (export "memory") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 8)
            (func (export "respond") (param i32 i32) (result i32) {body}))
          (core instance $i (instantiate $m))
          (func (export "respond") (param "message" (list u8)) (result (list u8))
            (canon lift (core func $i "respond") (memory $i "memory")
              (realloc (func $i "realloc")))))"#
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_differ_by_a_section_of_the_length_that_it_says() {
        let other = version(b"component", 7);
        let section = other.strip_prefix(b"component").unwrap();
        assert_eq!(usize::from(section[1]), section.len() - 2);
        assert_ne!(other, version(b"component", 8));
    }

    #[test]
    fn the_counter_signs_otherwise() {
        let component = b"...counter-version=v1      ...";
        let other = counter(component, 42).unwrap();
        assert_eq!(other, b"...counter-version=v42     ...");
        assert_eq!(counter(b"no mark", 42), None);
    }
}
