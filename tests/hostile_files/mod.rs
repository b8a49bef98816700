//! Files that are crafted to attack the program: it refuses each with one line, or accepts it, and
//! never crashes.

mod compilers;
mod compiling;
mod corpora;

use crate::fixture::{Host, echo_host, guest, run};
use crate::swap::post::Folder;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Checks a file with these bytes, and returns the error line if it is refused.
fn check(folder: &Path, bytes: impl AsRef<[u8]>) -> Option<String> {
    let file = folder.join("hostile");
    fs::write(&file, bytes).unwrap();
    check_file(&file)
}

/// Checks a file, and returns the error line if it is refused.
fn check_file(file: &Path) -> Option<String> {
    let checked = echo_host(&["check", file.to_str().unwrap(), "--cache", "off"]);
    match checked.code {
        Some(0) => None,
        Some(65) => {
            assert!(checked.is_one_error(), "{checked:?}");
            Some(checked.stderr)
        }
        _ => panic!("{checked:?}"),
    }
}

#[test]
fn text_that_nests_without_end_or_is_too_long() {
    let folder = tempfile::tempdir().unwrap();
    let (open, close) = ("(component ".repeat(40_000), ")".repeat(40_000));
    let types = "(type (component ".repeat(20_000);
    for (text, reason) in [
        (open + &close, "nesting too deep"),
        (format!("(component {types}"), "nesting too deep"),
        ("(".repeat(1_000_000), "is not a component in text form"),
        (
            " ".repeat(9) + &"(;".repeat(400_000),
            "is not a component in text form",
        ),
        (
            format!("(component){}", " ".repeat(2 << 20)),
            "1048576 bytes in text form",
        ),
        (
            format!(
                "(component (core module (func {})))",
                "(i32.add ".repeat(80_000)
            ),
            "is not a component in text form",
        ),
        (
            format!(
                "(component (core module (func {}{})))",
                "(block ".repeat(80_000),
                ")".repeat(80_000)
            ),
            "does not export `respond`",
        ),
        (
            format!("(component (import \"{}\" (func)))", "a".repeat(1_000_000)),
            "string size out of bounds",
        ),
        (
            "(component (core module (table 10000000 funcref)))".to_owned(),
            "table",
        ),
    ] {
        let line = check(folder.path(), &text).expect(reason);
        assert!(line.contains(reason), "no {reason:?} in {line:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn settings_and_certificates_without_end() {
    for args in [
        &["check", "--config", "/dev/zero"][..],
        &[
            "serve",
            "--listen",
            "tls://127.0.0.1:0",
            "--tls-cert",
            "/dev/zero",
            "--tls-key",
            "/dev/zero",
        ],
    ] {
        let mut command = Command::new("prlimit");
        command.args(["--data=2147483648", env!("CARGO_BIN_EXE_echo-host")]);
        let refused = run(command.args(args), b"");
        assert_eq!(refused.code, Some(78), "{args:?}: {refused:?}");
        let reason = "larger than 16777216 bytes";
        assert!(refused.stderr.contains(reason), "{args:?}: {refused:?}");
    }
}

#[test]
fn components_that_are_cut_or_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(guest("echo")).unwrap();
    let step = whole.len() / 60;
    let mut refused = 0;
    for index in (0..whole.len()).step_by(step) {
        assert!(check(folder.path(), &whole[..index]).is_some(), "{index}");
        let mut damaged = whole.clone();
        damaged[index] ^= 0xff;
        refused += usize::from(check(folder.path(), &damaged).is_some());
    }
    assert!(refused > 0);
    assert_eq!(check(folder.path(), &whole), None);
}

#[test]
fn binaries_that_a_compiler_would_choke_on() {
    let folder = tempfile::tempdir().unwrap();
    let types_in_types = {
        let types = b"\x41\x01\x01".repeat(5000);
        let content = [b"\x01", &types[..], b"\x41\0"].concat();
        // A section of types, whose length of 15003 bytes takes two.
        [&b"\0asm\x0d\0\x01\0\x07\x9b\x75"[..], &content].concat()
    };
    let inner = [
        &b"\0asm\x0d\0\x01\0"[..],
        &b"\x04\x08\0asm\x0d\0\x01\0".repeat(12),
    ]
    .concat();
    let section = [&[4, inner.len() as u8 | 128, 1][..], &inner].concat();
    assert_eq!(inner.len(), 128);
    let parts = [&b"\0asm\x0d\0\x01\0"[..], &section.repeat(900)].concat();
    for (binary, reason) in [
        (
            types_in_types,
            "nests components or types more than 100 deep",
        ),
        (parts, "more than 1000 components and modules"),
    ] {
        let line = check(folder.path(), &binary).expect(reason);
        assert!(line.contains(reason), "no {reason:?} in {line:?}");
    }
}

#[test]
fn a_component_that_the_compiler_fails_on() {
    // Two instances of one type, passed to one component: an assertion in wasmparser 0.254 fails
    // for it.
    let component = r#"(component
        (type $i (instance (type $t (tuple u8)) (export "t" (type (eq $t)))))
        (component $c (alias outer 1 $i (type $i))
            (import "a" (instance (type $i))) (import "b" (instance (type $i))))
        (import "a" (instance $a (type $i))) (import "b" (instance $b (type $i)))
        (instance (instantiate $c (with "a" (instance $a)) (with "b" (instance $b)))))"#;
    let folder = Folder::new();
    let control = folder.path("host.sock");
    let host = Host::serve(&["--control", &control]);
    let hostile = folder.put("hostile.wat", component);
    let line = check_file(Path::new(&hostile)).expect("an error of the compiler");
    assert!(line.contains("hits a bug in the compiler"), "{line}");
    for _ in 0..2 {
        let refused = echo_host(&["swap", &hostile, "--control", &control]);
        assert_eq!(refused.code, Some(65), "{refused:?}");
        assert!(
            refused.stderr.contains("a bug in the compiler"),
            "{refused:?}"
        );
    }
    assert_eq!(host.connect().ask("still here"), "still here");
}
