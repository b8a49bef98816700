//! What the program says when something is wrong, side by side: `messages.txt`.
//!
//! `UPDATE_MESSAGES=1 cargo nextest run --workspace --release messages` writes the file.

use crate::configuration::mistakes::{BROKEN, place, run_in};
use crate::fixture::root;
use std::fmt::Write;
use std::fs;

/// What is wrong, and the command that says so. `FILE` stands for a configuration file without a
/// mistake.
const COMMANDS: &[(&str, &str)] = &[
    ("A time without a unit", "serve --idle-timeout 10"),
    ("An address without a scheme", "serve --listen 127.0.0.1:7"),
    (
        "A listener twice",
        "serve -l tcp://127.0.0.1:19000 -l tcp://127.0.0.1:19000",
    ),
    (
        "Addresses that overlap",
        "serve -l tcp://0.0.0.0:19000 -l tcp://127.0.0.1:19000",
    ),
    ("TLS without a certificate", "serve -l tls://127.0.0.1:0"),
    (
        "A listener for several services",
        "serve --config FILE --listen tcp://127.0.0.1:0",
    ),
    ("A file that is not there", "check --config none.toml"),
    (
        "A handler that is not there",
        "serve none.wasm -l tcp://127.0.0.1:0",
    ),
    (
        "A demo that is misspelled",
        "serve helo -l tcp://127.0.0.1:0",
    ),
    (
        "An example that is not built",
        "serve target/guests/chat.wasm -l tcp://127.0.0.1:0",
    ),
    ("An option of other servers", "serve --port 80"),
    ("Two things from standard input", "call -"),
    ("A rollback with a handler", "swap hello --rollback"),
    ("To bind without a file", "check hello --bind"),
    ("No running host", "reload"),
    ("To disconnect nobody in particular", "disconnect"),
    ("A client that is no network", "tap --peer localhost"),
    ("To measure for hours", "connections --measure 2h"),
];

#[test]
fn messages_are_as_they_were_read_and_approved() {
    let site = place();
    let mut said = String::new();
    for (what, text) in BROKEN {
        site.put("echo-host.toml", text);
        said += &format!("## {what}: a file\n\n");
        said += &one(&site, "check --config FILE");
    }
    site.put(
        "echo-host.toml",
        "[service.a]\nlisten = 'tcp://127.0.0.1:19000'\n[service.b]\nlisten = 'tcp://127.0.0.1:19001'",
    );
    for (what, line) in COMMANDS {
        said += &format!("## {what}\n\n");
        said += &one(&site, line);
    }
    let file = root().join("tests/messages.txt");
    if std::env::var_os("UPDATE_MESSAGES").is_some() {
        fs::write(&file, &said).unwrap();
    }
    let approved = fs::read_to_string(&file).unwrap_or_default();
    let differs = said
        .lines()
        .zip(approved.lines())
        .find(|(said, approved)| said != approved);
    assert!(
        said == approved,
        "messages differ from tests/messages.txt, first in {differs:?}; \
         UPDATE_MESSAGES=1 writes the file"
    );
}

/// A command, what it says, and its exit code. Paths have stable names.
fn one(site: &crate::configuration::site::Site, line: &str) -> String {
    let file = site.path("echo-host.toml");
    let words = line
        .split(' ')
        .map(|word| if word == "FILE" { &file } else { word });
    let finished = run_in(site, &words.collect::<Vec<_>>());
    let directory = site.path("");
    let text = finished
        .stderr
        .replace(directory.trim_end_matches('/'), "/etc/echo-host");
    let mut said = String::new();
    let _ = writeln!(
        said,
        "$ echo-host {}",
        line.replace("FILE", "echo-host.toml")
    );
    let _ = writeln!(said, "{text}exit code {}\n", finished.code.unwrap_or(-1));
    said
}
