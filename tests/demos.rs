//! The handlers in the program: `echo-host demos`, and their names in place of files.

use crate::fixture::{Finished, Host, echo_host, guest, root, run};
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    command.current_dir(folder);
    command
}

/// Their names, as they are listed.
fn names() -> Vec<String> {
    let listed = echo_host(&["demos"]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let names = listed.stdout.lines().filter(|it| !it.starts_with(' '));
    names
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .collect()
}

#[test]
fn each_is_listed_with_a_command_and_plays_its_exchanges() {
    let listed = echo_host(&["demos"]).stdout;
    let names = names();
    assert!(names.len() >= 10, "{names:?}");
    let mut played = 0;
    for name in &names {
        assert!(
            listed.contains(&format!("echo-host serve {name} ")),
            "{listed}"
        );
        let checked = echo_host(&["check", name]);
        assert_eq!(checked.code, Some(0), "{checked:?}");
        let first = format!("the built-in {name} can be served\n");
        assert!(checked.stdout.starts_with(&first), "{checked:?}");
        let exchanges = root().join(format!("guest/{name}/{name}.exchange"));
        if exchanges.exists() {
            let finished = echo_host(&["test", name, exchanges.to_str().unwrap()]);
            assert_eq!(finished.code, Some(0), "{finished:?}");
            played += 1;
        }
    }
    assert!(played >= 6, "{played}");
}

#[test]
fn a_file_with_the_name_of_a_demo_is_named_by_a_path() {
    let folder = TempDir::new().unwrap();
    fs::copy(guest("upper"), folder.path().join("hello")).unwrap();
    let call = |handler: &str| run(command(folder.path()).args(["call", handler, "abc"]), b"");
    assert_eq!(
        call("hello").stdout,
        "Hello, client!",
        "{:?}",
        call("hello")
    );
    assert_eq!(call("./hello").stdout, "ABC", "{:?}", call("./hello"));
}

#[test]
fn hello_ends_its_reply_as_the_client_ends_its_message() {
    let host = Host::serve(&["hello"]);
    for (message, reply) in [
        ("Hello, server!", "Hello, client!"),
        ("Hello, server!\n", "Hello, client!\n"),
        ("Hello, server!\r\n", "Hello, client!\r\n"),
    ] {
        let mut client = host.connect();
        client.send(message);
        client.finish();
        assert_eq!(client.rest(), reply.as_bytes());
    }
}

#[test]
fn chat_has_one_room_for_all_and_greets_with_the_message_of_the_day() {
    let host = Host::serve(&["chat", "--env", "MOTD=Be kind."]);
    let mut ann = host.connect();
    assert_eq!(ann.line(), "* Be kind.");
    assert!(ann.line().starts_with("* Welcome, "));
    ann.line();
    let mut bob = host.connect();
    assert_eq!(bob.line(), "* Be kind.");
    assert!(ann.line().ends_with(" joined"));
    bob.send("hello\n");
    assert!(ann.line().ends_with(": hello"));
    // What is asked for counts.
    let host = Host::serve(&["chat", "--isolation", "connection"]);
    let (mut ann, mut bob) = (host.connect(), host.connect());
    for alone in [&mut ann, &mut bob] {
        alone.line();
        let present = alone.line();
        assert!(!present.contains(", "), "{present}");
    }
}

#[test]
fn names_stand_for_demos_in_a_file_in_pipelines_and_in_swaps() {
    let folder = TempDir::new().unwrap();
    let config = folder.path().join("echo-host.toml");
    let text = "[service.a]\nhandler = \"upper\"\nthen = [\"reverse\"]\nframing = \"lines\"\n\
                listen = [\"tcp://127.0.0.1:0\"]\n";
    fs::write(&config, text).unwrap();
    let socket = folder.path().join("host.sock");
    let socket = socket.to_str().unwrap();
    let host = Host::start(
        command(folder.path()).args(["serve", "--config", config.to_str().unwrap()]),
        &["--control", socket],
    );
    let mut client = host.connect();
    client.send("abc\n");
    client.expect("CBA");
    let swapped = echo_host(&["swap", "hello", "--control", socket]);
    assert_eq!(swapped.code, Some(0), "{swapped:?}");
    let mut client = host.connect();
    client.send("abc\n");
    client.expect("Hello, client!");
    let again = echo_host(&["swap", "--control", socket]);
    assert_eq!(again.code, Some(0), "{again:?}");
    host.wait_for_log("the built-in hello is already being served");
}

#[test]
fn a_missing_example_hints_at_what_needs_no_file() {
    let folder = TempDir::new().unwrap();
    let hint = |handler: &str| {
        let refused: Finished = run(
            command(folder.path()).args(["serve", handler, "--listen", "tcp://127.0.0.1:0"]),
            b"",
        );
        assert_eq!(refused.code, Some(65), "{refused:?}");
        let (error, hint) = refused
            .stderr
            .trim_end()
            .split_once('\n')
            .unwrap_or_default();
        assert!(error.contains("No such file or directory"), "{refused:?}");
        hint.to_owned()
    };
    assert_eq!(
        hint("target/guests/chat.wasm"),
        "hint: `cargo xtask build-guests` builds it; `chat` is a demo that needs no file"
    );
    assert_eq!(
        hint("hello.wasm"),
        "hint: `hello` is a demo that needs no file"
    );
    assert_eq!(
        hint("helo"),
        "hint: `echo-host demos` lists handlers that need no file"
    );
}
