//! `echo-host new`: its output builds, and is what it claims to be.

use crate::fixture::{Finished, Host, cargo, echo_host, guest, root, run_within};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

/// For a command that downloads crates and compiles them, while other tests keep the machine busy.
const BUILD_DEADLINE: Duration = Duration::from_secs(15 * 60);

const TIERS: [&str; 4] = ["responder", "framed-responder", "conversation", "program"];
const TEMPLATES: [&str; 5] = [
    "line-protocol",
    "chat-room",
    "binary-protocol",
    "http",
    "store",
];

/// A directory with new handlers in Rust, each named after a prefix and its kind or template.
struct Written {
    folder: TempDir,
    prefix: &'static str,
    tiers: &'static [&'static str],
}

impl Written {
    fn new(prefix: &'static str, tiers: &'static [&'static str]) -> Self {
        Self::with("--tier", prefix, tiers)
    }

    fn with(option: &str, prefix: &'static str, tiers: &'static [&'static str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let written = Written {
            folder,
            prefix,
            tiers,
        };
        for tier in tiers {
            let path = written.path(tier);
            let finished = echo_host(&["new", path.to_str().unwrap(), option, tier]);
            assert_eq!(finished.code, Some(0), "{finished:?}");
        }
        written
    }

    fn name(&self, tier: &str) -> String {
        format!("{}-{tier}", self.prefix)
    }

    fn path(&self, tier: &str) -> PathBuf {
        self.folder.path().join(self.name(tier))
    }

    /// Makes one of them log before it does anything.
    fn log_in(&self, tier: &str, before: &str, logs: &str) {
        let change = |file: &str, from: &str, to: &str| {
            let path = self.path(tier).join(file);
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.contains(from), "{text}");
            fs::write(path, text.replacen(from, to, 1)).unwrap();
        };
        let dependency = "echo-host-guest = { path = \"echo-host-guest\"";
        let with_log = format!("log = \"0.4\"\n{dependency}, features = [\"log\"]");
        change("Cargo.toml", dependency, &with_log);
        change("src/lib.rs", before, &format!("    {logs}\n{before}"));
    }

    /// Runs the unit tests of one handler.
    fn test(&self, tier: &str, arguments: &[&str]) -> Finished {
        let mut test = cargo(&self.path(tier));
        test.args(["test", "--target-dir"]);
        test.arg(root().join("target/scaffold")).args(arguments);
        let finished = run_within(BUILD_DEADLINE, &mut test, b"");
        assert_succeeds(&finished);
        finished
    }

    /// Builds them as this machine can; if it has the target, as each handler.toml says.
    fn build(&self) {
        let mut xtask = cargo(&root());
        xtask.args(["xtask", "build-guests"]);
        xtask.args(self.tiers.iter().map(|tier| self.path(tier)));
        assert_succeeds(&run_within(BUILD_DEADLINE, &mut xtask, b""));
    }

    /// The component of a kind, as cargo names it.
    fn component(&self, tier: &str) -> String {
        match tier {
            "program" => guest(&self.name(tier)),
            _ => guest(&self.name(tier).replace('-', "_")),
        }
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let guests = root().join("target/guests");
        for tier in self.tiers {
            let name = self.name(tier);
            for name in [name.replace('-', "_"), name] {
                let _ = fs::remove_file(guests.join(format!("{name}.wasm")));
            }
        }
    }
}

fn assert_succeeds(finished: &Finished) {
    assert_eq!(finished.code, Some(0), "{finished:?}");
}

#[test]
fn handlers_in_rust_build_and_pass_their_own_tests() {
    let written = Written::new("new", &TIERS);
    for tier in TIERS {
        let finished = written.test(tier, &[]);
        assert!(!finished.stderr.contains("warning"), "{finished:?}");
        assert!(!finished.stdout.contains("running 0 tests"), "{finished:?}");
    }
    written.build();
    for tier in TIERS {
        let component = written.component(tier);
        let exchange = written.path(tier).join(format!("new-{tier}.exchange"));
        let played = echo_host(&["test", &component, exchange.to_str().unwrap()]);
        assert_succeeds(&played);
        assert!(!played.stdout.contains("cuts"), "{played:?}");
        let checked = echo_host(&["check", &component]).stdout;
        assert!(checked.contains("imports   only those"), "{checked}");
    }
}

#[test]
fn templates_build_and_pass_their_own_tests() {
    let written = Written::with("--template", "from", &TEMPLATES);
    for template in TEMPLATES {
        let finished = written.test(template, &[]);
        assert!(!finished.stderr.contains("warning"), "{finished:?}");
        assert!(!finished.stdout.contains("running 0 tests"), "{finished:?}");
        let mut format = cargo(&written.path(template));
        let format = format.args(["fmt", "--check", "--package"]);
        let formatted = run_within(BUILD_DEADLINE, format.arg(written.name(template)), b"");
        assert_succeeds(&formatted);
    }
    written.build();
    for template in TEMPLATES {
        let component = written.component(template);
        let exchange = written.path(template);
        let exchange = exchange.join(format!("from-{template}.exchange"));
        let played = echo_host(&["test", &component, exchange.to_str().unwrap()]);
        assert_succeeds(&played);
        let checked = echo_host(&["check", &component]).stdout;
        let wants_store = checked.contains("wasi:keyvalue");
        assert_eq!(wants_store, template == "store", "{checked}");
    }
    let room = written.component("chat-room");
    let host = Host::serve(&[&room, "--isolation", "shared"]);
    let (mut ada, mut bob) = (host.connect(), host.connect());
    ada.send("/nick ada\n");
    ada.expect("* welcome, ");
    while !ada.line().ends_with("* you are ada now") {}
    bob.send("/who\nhello\n");
    while !ada.line().ends_with(": hello") {}
    while !bob.line().starts_with("* here: ada, guest") {}
}

#[test]
fn what_a_handler_in_rust_logs_is_in_the_hosts_log() {
    let written = Written::new("logging", &["responder"]);
    written.log_in(
        "responder",
        "    message\n",
        "log::warn!(\"{} bytes\", message.len());\n    log::debug!(\"heard on demand\");",
    );
    written.build();
    let component = written.component("responder");
    let host = Host::serve(&[&component, "--log-format", "json"]);
    let mut client = host.connect();
    client.send("four");
    client.expect("four");
    drop(client);
    let log = host.stop();
    let said = log.lines().filter(|line| line.contains("\"guest\""));
    let said: Vec<Value> = said
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    // The lines below are unexpected.
    let [line] = &said[..] else { panic!("{log}") };
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["context"], "logging_responder");
    assert_eq!(line["message"], "4 bytes");
    let called = echo_host(&["call", "--log-level", "debug", &component, "four"]);
    assert!(called.stderr.contains("heard on demand"), "{called:?}");
}

#[test]
fn what_a_session_logs_in_a_unit_test_is_printed() {
    let written = Written::new("printing", &["conversation"]);
    let greets = "                connection.send_line(\"hello\");\n";
    written.log_in("conversation", greets, "log::info!(\"greets\");");
    let tested = written.test("conversation", &["--", "--nocapture"]);
    let said = "INFO printing_conversation: greets";
    assert!(tested.stderr.contains(said), "{tested:?}");
}

#[test]
fn what_cannot_be_written_is_said_in_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().to_str().unwrap().to_owned() + "/there";
    assert_succeeds(&echo_host(&["new", &there]));
    for (arguments, code, reason) in [
        (vec!["new", &*there], 74, "/there already exists"),
        (vec!["new", "Shout"], 2, "`Shout` cannot name a handler"),
        (vec!["new", "fn"], 2, "`fn` cannot name a crate"),
        (vec!["new", "/proc/shout"], 74, "cannot write /proc/shout"),
        (
            vec!["new", "shout", "--lang", "cobol"],
            2,
            "invalid value 'cobol'",
        ),
        (
            vec!["new", "shout", "--tier", "shop"],
            2,
            "invalid value 'shop'",
        ),
        (
            vec!["new", "shout", "--template", "http", "--tier", "program"],
            2,
            "'--template <TEMPLATE>' cannot be used with '--tier <TIER>'",
        ),
        (
            vec!["new", "shout", "--template", "http", "--lang", "c"],
            2,
            "--template has handlers in Rust only; hint: omit --lang, or choose a --tier",
        ),
    ] {
        let finished = echo_host(&arguments);
        assert_eq!(finished.code, Some(code), "{finished:?}");
        let line = finished.stderr.lines().next().unwrap();
        assert!(line.contains(reason), "{finished:?}");
    }
}
