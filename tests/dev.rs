//! Developing a handler in its directory: `echo-host dev`, and `echo-host test` without arguments.

use crate::fixture::{Finished, Host, run};
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A handler that answers every message with `reply`, which has three bytes.
fn handler(reply: &str) -> String {
    format!(
        r#"(component
          (core module $m
            (memory (export "memory") 3)
            (data (i32.const 8) "{reply}")
            (data (i32.const 16) "\08\00\00\00\03\00\00\00")
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024)
            (func (export "respond") (param i32 i32) (result i32) i32.const 16))
          (core instance $i (instantiate $m))
          (func (export "respond") (param "message" (list u8)) (result (list u8))
            (canon lift (core func $i "respond") (memory $i "memory")
              (realloc (func $i "realloc")))))"#
    )
}

/// The directory of a handler whose build is as fast as possible.
struct Folder(TempDir);

impl Folder {
    fn new(build: &str) -> Self {
        let folder = Folder(tempfile::tempdir().unwrap());
        fs::create_dir(folder.path().join("src")).unwrap();
        folder.write(
            "handler.toml",
            &format!(
                "build = '{build}'\noutput = \"out/it.wat\"\nframing = \"lines\"\nexchanges = [\"it.exchange\"]\n"
            ),
        );
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    fn dev(&self, options: &[&str]) -> Host {
        let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        command.arg("dev").arg(self.path());
        command.args(["--", "--listen", "tcp://127.0.0.1:0"]);
        command.args(options);
        Host::start_as_it_is(&mut command, 1)
    }

    fn test(&self) -> Finished {
        let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        run(command.arg("test").current_dir(self.path()), b"")
    }
}

/// Copies the source, if it contains `respond` at all.
const BUILD: &str = "grep -q respond src/it.wat && mkdir -p out && cp src/it.wat out/it.wat";

#[test]
fn an_edit_is_live_and_a_bad_one_is_shown() {
    let folder = Folder::new(BUILD);
    folder.write("src/it.wat", &handler("one"));
    let host = folder.dev(&[]);
    host.wait_for_log("dev: built in ");
    let mut open = host.connect();
    open.send("a\n");
    open.expect("one");

    folder.write("src/it.wat", &handler("two"));
    host.wait_for_log("generation 2 replaces generation 1");
    // Open connections move to it.
    open.send("b\n");
    open.expect("two");

    // A build that fails, and one that produces no handler.
    folder.write("src/it.wat", "(nothing)");
    host.wait_for_log("failed: exit status: 1; waiting for a change");
    open.send("c\n");
    open.expect("two");
    folder.write("src/it.wat", "(component) ;; respond");
    host.wait_for_log("implements no world");
    open.send("d\n");
    open.expect("two");

    folder.write("src/it.wat", &handler("six"));
    host.wait_for_log("generation 3 replaces generation 2");
    open.send("e\n");
    open.expect("six");
    drop(open);
    host.stop();
}

#[test]
fn an_edit_is_played_and_tells_what_failed_and_what_a_call_costs() {
    let folder = Folder::new(BUILD);
    folder.write("src/it.wat", &handler("one"));
    folder.write(
        "it.exchange",
        "== first\n> a\n< one\\\n\n== second\n> b\n< one\\\n",
    );
    let host = folder.dev(&[]);
    let matched = "dev: 2 exchanges matched; a call took ";
    let log = host.wait_for_log(matched);
    let line = log.lines().find(|line| line.contains(matched)).unwrap();
    assert!(line.contains("s, memory 192.0 KiB"), "{line}");

    // The new version is served, although it fails.
    folder.write("src/it.wat", &handler("two"));
    host.wait_for_log("dev: 2 of 2 exchanges did not match");
    host.wait_for_log("generation 2 replaces generation 1");
    for name in ["first", "second"] {
        host.wait_for_log(&format!("it.exchange: {name}"));
    }
    let mut client = host.connect();
    client.send("a\n");
    client.expect("two");

    // What is no exchange is told, and the next edit is played again.
    folder.write("it.exchange", "nonsense\n");
    folder.write("src/it.wat", &handler("six"));
    host.wait_for_log("dev: cannot play exchanges: ");
    folder.write("it.exchange", "== only\n> a\n< ten\\\n");
    folder.write("src/it.wat", &handler("ten"));
    host.wait_for_log("dev: 1 exchange matched; a call took ");
}

#[test]
fn a_handler_that_traps_is_told_with_its_lines_and_edits_do_not_wait_for_one_that_spins() {
    let folder = Folder::new(BUILD);
    let with = |body: &str| {
        let plain = handler("one");
        plain.replace(
            "i32.const 16))\n          (core instance",
            &format!("{body}))\n          (core instance"),
        )
    };
    assert_ne!(with("unreachable"), handler("one"));
    folder.write("it.exchange", "== it\n> a\n< one\\\n");
    folder.write("src/it.wat", &with("unreachable"));
    let host = folder.dev(&["--no-control"]);
    host.wait_for_log("dev: 1 of 1 exchanges did not match");
    host.wait_for_log("`unreachable` instruction executed");
    folder.write("src/it.wat", &with("(loop $again (br $again)) unreachable"));
    host.wait_for_log("generation 2 replaces generation 1");
    folder.write("src/it.wat", &handler("one"));
    host.wait_for_log("generation 3 replaces generation 2");
    host.wait_for_log("dev: 1 exchange matched");
}

#[test]
fn folders_that_are_removed_and_made_again_are_still_watched() {
    let folder = Folder::new("rm -rf out && mkdir out && cp src/it.wat out/it.wat");
    folder.write("src/it.wat", &handler("one"));
    let host = folder.dev(&[]);
    host.wait_for_log("dev: built in ");
    for (generation, reply) in [(2, "two"), (3, "six")] {
        fs::remove_dir_all(folder.path().join("src")).unwrap();
        fs::create_dir(folder.path().join("src")).unwrap();
        folder.write("src/it.wat", &handler(reply));
        host.wait_for_log(&format!("generation {generation} replaces"));
        let mut client = host.connect();
        client.send("a\n");
        client.expect(reply);
    }
}

#[test]
fn there_may_be_nothing_to_serve_at_first() {
    let folder = Folder::new(BUILD);
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    command.args(["dev", "--", "--listen", "tcp://127.0.0.1:0"]);
    command.current_dir(folder.path());
    let starting = crate::fixture::Process::start(&mut command);
    starting.stderr.wait_for("waiting for a change");
    folder.write("src/it.wat", &handler("yes"));
    let listening = starting.stdout.wait_for("listening on tcp://");
    let address = listening.trim().replace("listening on tcp://", "");
    let mut client = crate::fixture::Client::connect(address.parse().unwrap());
    client.send("a\n");
    client.expect("yes");
}

#[test]
fn the_options_of_serve_are_the_users() {
    let folder = Folder::new(BUILD);
    folder.write("src/it.wat", &handler("one"));
    let host = folder.dev(&["--framing", "fixed:4", "--swap=new-connections"]);
    let mut open = host.connect();
    open.send("abcdefgh");
    open.expect("oneone");
    folder.write("src/it.wat", &handler("two"));
    host.wait_for_log("generation 2 replaces generation 1");
    open.send("abcd");
    open.expect("one");
    let mut new = host.connect();
    new.send("abcd");
    new.expect("two");
}

#[test]
fn a_folder_without_handler_toml_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for subcommand in ["dev", "test"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        let finished = run(command.arg(subcommand).current_dir(folder.path()), b"");
        assert_eq!(finished.code, Some(78), "{finished:?}");
        let said = "has no handler.toml\nhint: `echo-host new` creates one";
        assert!(finished.stderr.contains(said), "{finished:?}");
    }
}

#[test]
fn a_test_builds_and_plays_what_the_folder_names() {
    let folder = Folder::new(BUILD);
    folder.write("src/it.wat", &handler("one"));
    folder.write("it.exchange", "== it\n> a\n< one\\\n");
    let finished = folder.test();
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(
        finished.stdout.ends_with("1 exchange matched\n"),
        "{finished:?}"
    );
    // The old build is not tested.
    folder.write("src/it.wat", &handler("two"));
    let finished = folder.test();
    assert_eq!(finished.code, Some(65), "{finished:?}");
    folder.write("src/it.wat", "(nothing)");
    let finished = folder.test();
    assert_eq!(finished.code, Some(65), "{finished:?}");
    let said = format!("echo-host: `{BUILD}` failed: exit status: 1\n");
    assert_eq!(finished.stderr, said);
}

#[test]
fn a_build_that_leaves_nothing_is_named() {
    let folder = Folder::new("true");
    let finished = folder.test();
    assert_eq!(finished.code, Some(65), "{finished:?}");
    let said =
        "echo-host: `true` did not create ./out/it.wat, the output that handler.toml names\n";
    assert_eq!(finished.stderr, said);
}
