//! Every component is compiled in a process of its own that the kernel can end.
#![cfg(target_os = "linux")]

use super::compiling::{slow, ticks};
use crate::fixture::{Finished, Host, echo_host, guest, run};
use crate::swap::post::Folder;
use std::fs;
use std::process::Command;

const ANYWHERE: &str = "tcp://127.0.0.1:0";

/// A directory with a handler, `slow.wat`, that takes several seconds to compile, and everything to
/// develop it.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.put("slow.wat", slow());
    folder.put(
        "slow.exchange",
        "framing: lines\n\n== hello\n> hello\n< hello\n",
    );
    let project = "build = 'true'\noutput = 'slow.wat'\nwatch = ['handler.toml']\n";
    folder.put("handler.toml", project);
    folder
}

/// Runs `echo-host` with these arguments in the directory. No process gets more than a second of
/// CPU time, and no cache is used.
fn run_in(folder: &Folder, args: &[&str]) -> Finished {
    let mut command = Command::new("prlimit");
    command.args(["--cpu=1", env!("CARGO_BIN_EXE_echo-host")]);
    let cache: &[&str] = if args.contains(&"--cache") {
        &[]
    } else {
        &["--cache", "cache"]
    };
    let command = command.args(args).args(cache);
    run(command.current_dir(folder.path("")), b"")
}

#[test]
fn the_kernel_ends_what_takes_too_long_whichever_command_compiles() {
    let folder = folder();
    let commands: [&[&str]; 8] = [
        &["check", "slow.wat"],
        &["call", "slow.wat", "hello"],
        &["call", "slow.wat", "hello", "--cache", "off"],
        &["test", "slow.wat", "slow.exchange"],
        &["dev", "--", "--listen", "tcp://127.0.0.1:0"],
        &[
            "serve",
            "slow.wat",
            "--sandbox",
            "off",
            "--listen",
            ANYWHERE,
        ],
        &["serve", "slow.wat", "--listen", "stdio:", "--sandbox", "on"],
        &[
            "serve",
            "slow.wat",
            "--listen",
            "stdio:",
            "--sandbox",
            "off",
        ],
    ];
    for command in commands {
        let refused = run_in(&folder, command);
        assert_eq!(refused.code, Some(65), "{command:?}: {refused:?}");
        let mut lines = refused.stderr.lines();
        let line = lines.rfind(|line| line.starts_with("echo-host: ")).unwrap();
        let reason = "takes more to compile than allowed: 60 s of CPU time and 2048 MiB of memory (the compiling process was ended by signal 9)";
        assert!(line.contains(reason), "{command:?}: {refused:?}");
    }
}

/// A component with many large component types, so that validation takes seconds. It is valid if
/// `more` is.
fn slow_to_look_through(more: &str) -> String {
    let fifteen_fold = (0..4).map(|level| {
        let parts = format!("$t{level} ").repeat(15);
        format!("(type $t{} (tuple {parts}))", level + 1)
    });
    let types: String = fifteen_fold.collect();
    let component = r#"(component (alias outer 1 $f (type $f)) (import "f" (func (type $f))))"#;
    format!(
        r#"(component {more} (type $t0 (tuple {})) {types} (type $f (func (param "it" $t4))) {})"#,
        "u8 ".repeat(15),
        component.repeat(990)
    )
}

#[test]
fn the_kernel_ends_what_takes_too_long_to_look_through_whatever_is_wrong_with_it() {
    let folder = folder();
    // A feature that this host does not support: it takes several checks to find out which.
    for more in ["", "(type (map string u8))"] {
        folder.put("slow.wat", slow_to_look_through(more));
        for command in [
            &["check", "slow.wat"][..],
            &["serve", "slow.wat", "--sandbox", "on", "--listen", ANYWHERE],
            &["serve", "slow.wat", "--listen", "stdio:", "--sandbox", "on"],
        ] {
            let refused = run_in(&folder, command);
            assert_eq!(refused.code, Some(65), "{command:?}: {refused:?}");
            let reason = "takes more to compile than allowed";
            assert!(refused.stderr.contains(reason), "{command:?}: {refused:?}");
        }
    }
}

#[test]
fn a_host_for_one_client_compiles_before_it_is_confined() {
    let args = ["serve", "--listen", "stdio:", "--sandbox", "on"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    command
        .args(args)
        .args(["--cache", "off", &guest("reverse")]);
    let served = run(&mut command, b"hello\n");
    assert_eq!(served.stdout, "olleh\n", "{served:?}");
}

#[test]
fn a_host_whose_program_was_deleted_still_compiles() {
    let folder = Folder::new();
    let (program, control) = (folder.path("echo-host"), folder.path("host.sock"));
    fs::copy(env!("CARGO_BIN_EXE_echo-host"), &program).unwrap();
    let mut command = Command::new(&program);
    let args = ["--sandbox", "off", "--cache", "off", "--control", &control];
    let host = Host::start(command.arg("serve"), &args);
    fs::remove_file(program).unwrap();
    let swapped = echo_host(&["swap", &guest("reverse"), "--control", &control]);
    assert_eq!(swapped.code, Some(0), "{swapped:?}");
    assert_eq!(host.connect().ask("hello"), "olleh");
}

#[test]
fn a_process_that_is_not_told_of_its_childrens_ends_compiles() {
    let mut command = Command::new("env");
    command.args(["--ignore-signal=CHLD", env!("CARGO_BIN_EXE_echo-host")]);
    command.args(["call", "--cache", "off", &guest("upper"), "hello"]);
    let called = run(&mut command, b"");
    assert_eq!(called.stdout, "HELLO", "{called:?}");
}

/// A component with functions that take a while to compile, and one that returns this number.
fn edited(number: u32) -> Vec<u8> {
    let operations = ["add", "mul", "xor", "sub", "rotl", "or"];
    let function = |function: usize| {
        let steps = (0..150).map(|step| {
            let at = function * 31 + step * 17;
            let (to, one, other) = (1 + at % 20, at * 7 % 21, at * 11 % 21);
            let operation = operations[at % operations.len()];
            format!(
                "(local.set {to} (i32.{operation} (local.get {one})
                   (i32.load offset={function} (local.get {other}))))"
            )
        });
        let locals = "i32 ".repeat(20);
        format!(
            "(func (param i32) (result i32) (local {locals})
               (loop {} (br_if 0 (local.get 3))) (local.get 1))",
            steps.collect::<String>()
        )
    };
    let functions: String = (0..600).map(function).collect();
    let text = format!(
        r#"(component
           (core module $m
             (memory (export "memory") 1)
             (func (export "respond") (param i32 i32) (result i32) (i32.const 0))
             (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 16))
             (func (export "edited") (result i32) (i32.const {number}))
             {functions})
           (core instance $i (instantiate $m))
           (func (export "respond") (param "message" (list u8)) (result (list u8))
             (canon lift (core func $i "respond") (memory $i "memory")
               (realloc (func $i "cabi_realloc")))))"#
    );
    wat::parse_str(text).unwrap()
}

#[test]
fn of_a_changed_handler_little_but_what_has_changed_is_compiled_again() {
    let folder = Folder::new();
    let handler = folder.put("handler.wasm", edited(1));
    let args = ["--watch", "--sandbox", "off", "--cache", "off"];
    let host = Host::serve(&[&[handler.as_str()], &args[..]].concat());
    let [_, first] = ticks(host.process.id());
    let mut before = first;
    // In parallel, identical functions are sometimes compiled more than once, at first more of
    // them.
    let edits = (2..5).map(|number| {
        folder.put("handler.wasm", edited(number));
        host.wait_for_log(&format!("generation {number} replaces"));
        let [_, all] = ticks(host.process.id());
        let edit = all - before;
        before = all;
        edit
    });
    let edits: Vec<_> = edits.collect();
    let least = *edits.iter().min().unwrap();
    assert!(least * 2 < first, "{first} ticks, then {edits:?}");
}
