//! What `new`, `dev` and `test` say of missing tools.

use super::machine::{Machine, OF_C};
use crate::fixture::{Finished, Process};
use engine::Language;
use std::fs;

fn hints(finished: &Finished) -> Vec<&str> {
    let lines = finished.stderr.lines();
    lines
        .filter_map(|line| line.strip_prefix("hint: "))
        .collect()
}

#[test]
fn new_says_what_is_missing_and_succeeds() {
    let machine = Machine::new(&OF_C);
    let finished = machine.new_handler("c", "responder");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(!finished.stdout.contains("missing"), "{finished:?}");

    let machine = Machine::new(&[("make", "GNU Make 4.3")]);
    let finished = machine.new_handler("c", "responder");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let said = "missing here: zig; wit-bindgen; wasm-tools\n";
    assert!(finished.stdout.contains(said), "{finished:?}");
    let commands = [
        "pip install ziglang",
        "cargo install wit-bindgen-cli@0.63.0",
        "cargo install wasm-tools",
    ];
    for command in commands {
        assert!(finished.stdout.contains(command), "{finished:?}");
    }
}

#[test]
fn a_failed_test_says_which_tools_are_missing() {
    for language in Language::ALL {
        let machine = Machine::new(&[]);
        machine.new_handler(language.name(), "responder");
        let finished = machine.test();
        assert_eq!(finished.code, Some(65), "{language}: {finished:?}");
        let said = "failed: exit status: 127\n";
        assert!(!finished.stderr.contains(said), "{language}: {finished:?}");
        assert!(
            finished.stderr.contains("; missing here: "),
            "{language}: {finished:?}"
        );
        assert!(!hints(&finished).is_empty(), "{language}: {finished:?}");
    }
    // A program has no bindings, so wit-bindgen is no help.
    let machine = Machine::new(&[]);
    machine.new_handler("c", "program");
    assert!(!machine.test().stderr.contains("wit-bindgen"));
}

#[test]
fn a_failed_build_with_all_tools_gives_no_advice() {
    let machine = Machine::new(&OF_C);
    machine.new_handler("c", "responder");
    machine.put("make", "[ \"$1\" = --version ] && echo 'GNU Make 4.3'");
    let finished = machine.test();
    assert_eq!(finished.code, Some(65), "{finished:?}");
    assert_eq!(
        finished.stderr,
        "echo-host: `make` failed: exit status: 1\n"
    );
}

#[test]
fn a_directory_by_hand_is_advised_on_what_its_command_names() {
    let machine = Machine::new(&[]);
    let folder = machine.0.path().join("shout");
    fs::create_dir_all(folder.join("src")).unwrap();
    let write = |build: &str| {
        let text = format!("build = '{build}'\noutput = 'x.wasm'\n");
        fs::write(folder.join("handler.toml"), text).unwrap();
    };
    write("wit-bindgen c wit && ./own.sh");
    let finished = machine.test();
    assert_eq!(finished.code, Some(65), "{finished:?}");
    assert!(
        finished
            .stderr
            .contains("; missing here: wit-bindgen\nhint: "),
        "{finished:?}"
    );
    write("./own.sh");
    let finished = machine.test();
    assert!(hints(&finished).is_empty(), "{finished:?}");
}

#[test]
fn dev_says_which_tools_are_missing_and_waits() {
    let machine = Machine::new(&[]);
    machine.new_handler("python", "responder");
    let starting = Process::start(&mut machine.command(&["dev", "shout"]));
    let line = starting.stderr.wait_for("waiting for a change");
    assert!(line.starts_with("dev: `make` failed: "), "{line}");
    assert!(
        line.contains("; missing here: make; python3, 3.11 or newer; venv"),
        "{line}"
    );
    starting.stderr.wait_for("hint: install GNU make");
}
