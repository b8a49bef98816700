//! Options from environment variables, and what is shown of them.

use crate::fixture::{Finished, Host, guest, run};
use std::fs;
use std::os::unix::net::UnixStream;
use std::process::Command;

fn echo_host(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    command.args(arguments);
    command
}

/// The variables in the help of `serve`.
fn variables() -> Vec<String> {
    let help = run(&mut echo_host(&["serve", "--help"]), b"").stdout;
    let named = help.split("[env: ").skip(1);
    let names: Vec<_> = named
        .map(|rest| rest.split([']', '=']).next().unwrap().to_owned())
        .collect();
    assert!(names.len() > 40, "{names:?}");
    names
}

#[test]
fn a_blank_variable_is_as_good_as_none() {
    let known: Vec<_> = variables()
        .into_iter()
        // Set by the tests themselves.
        .filter(|name| name != "ECHO_HOST_CACHE")
        .collect();
    for blank in ["", " ", "\n\t"] {
        let mut command = echo_host(&["serve"]);
        command.envs(known.iter().map(|name| (name, blank)));
        let host = Host::start(&mut command, &[]);
        let mut client = host.connect();
        client.send("hello");
        client.expect("hello");
    }
}

#[test]
fn all_switches_say_yes_and_no_alike() {
    // Each has an effect that is visible without serving: options that exclude each other are
    // refused.
    let switches = [
        "ECHO_HOST_WATCH",
        "ECHO_HOST_PRECISE_CLOCKS",
        "ECHO_HOST_NO_CONTROL",
        "ECHO_HOST_TLS_SELF_SIGNED",
    ];
    for switch in switches {
        for said in ["1", "true", "yes", "on", "TRUE", "0", "false", "no", "off"] {
            let mut command = echo_host(&["serve", "--listen", "tls://127.0.0.1:0"]);
            if switch != "ECHO_HOST_TLS_SELF_SIGNED" {
                command.arg("--tls-self-signed");
            }
            command
                .args(["--listen", "tcp://192.0.2.1:0"])
                .env(switch, said);
            let finished = run(&mut command, b"");
            let expected = match (switch, said) {
                ("ECHO_HOST_TLS_SELF_SIGNED", "0" | "false" | "no" | "off") => 78,
                _ => 69,
            };
            assert_eq!(
                finished.code,
                Some(expected),
                "{switch}={said}: {finished:?}"
            );
        }
        let finished = run(echo_host(&["serve"]).env(switch, "maybe"), b"");
        assert_eq!(finished.code, Some(2), "{switch}: {finished:?}");
    }
}

#[test]
fn empty_items_of_a_list_are_ignored() {
    let mut command = echo_host(&["serve", &guest("probe")]);
    command.envs([
        ("ECHO_HOST_ALLOW", ",127.0.0.1, ,::1,"),
        ("ECHO_HOST_ENV", "\nA=1\n\nB=2\n"),
        ("ECHO_HOST_ARG", "one\ntwo\n"),
        ("ECHO_HOST_LISTEN", "tcp://127.0.0.1:0, ,"),
    ]);
    let host = Host::start_as_it_is(&mut command, 1);
    let mut client = host.connect();
    assert_eq!(client.ask("env A"), "1");
    assert_eq!(client.ask("env B"), "2");
    assert!(client.ask("args").ends_with("one two"));
}

#[test]
fn an_option_is_one_item_whatever_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a,b.sock");
    let uri = format!("unix:{}", path.display());
    let probe = guest("probe");
    let host = Host::serve(&["--listen", &uri]);
    assert_eq!(host.uri(), uri);
    UnixStream::connect(&path).unwrap();
    let arguments = ["serve", &probe, "--framing", "lines", "--listen", "stdio:"];
    let mut command = echo_host(&[&arguments[..], &["--arg", "one\ntwo", "--arg="]].concat());
    let finished = run(&mut command, b"args\n");
    assert!(finished.stdout.contains("one\ntwo"), "{finished:?}");
}

/// A secret that must not appear in any output.
const SECRET: &str = "s3cr3t";

fn assert_silent(finished: &Finished) {
    let shown = format!("{}{}", finished.stdout, finished.stderr);
    assert!(!shown.contains(SECRET), "{shown}");
}

#[test]
fn no_message_and_no_help_shows_a_secret() {
    let urls = [
        format!("redis://:{SECRET}@[bad:6379"),
        format!("redis://user:{SECRET}@127.0.0.1:port/0"),
        format!("redis://user:{SECRET}@127.0.0.1:6379/{SECRET}"),
        format!("redis://user:{SECRET}@"),
        format!("redis:/{SECRET}"),
        format!("postgres://user:{SECRET}@127.0.0.1"),
        format!("redis://user:{SECRET}/x?@127.0.0.1/0"),
        SECRET.to_owned(),
    ];
    for url in &urls {
        let by_variable = run(echo_host(&["serve"]).env("ECHO_HOST_KEYVALUE", url), b"");
        let by_option = run(&mut echo_host(&["serve", "--keyvalue", url]), b"");
        for finished in [by_variable, by_option] {
            if finished.code != Some(69) {
                assert_eq!(finished.code, Some(2), "{finished:?}");
                assert!(
                    finished.stderr.contains("ECHO_HOST_KEYVALUE"),
                    "{finished:?}"
                );
            }
            assert_silent(&finished);
        }
    }
    for (variable, option) in [
        ("ECHO_HOST_ENV", "--env"),
        ("ECHO_HOST_CONFIG_VALUE", "--config-value"),
    ] {
        for text in [SECRET.to_owned(), format!("={SECRET}")] {
            let finished = run(echo_host(&["serve"]).env(variable, &text), b"");
            assert_eq!(finished.code, Some(2), "{finished:?}");
            assert!(
                finished.stderr.contains("expected KEY=VALUE"),
                "{finished:?}"
            );
            assert_silent(&finished);
            assert_silent(&run(&mut echo_host(&["serve", option, &text]), b""));
        }
    }
    for command in ["serve", "check", "call", "test", "status"] {
        let mut help = echo_host(&[command, "--help"]);
        help.envs(variables().into_iter().map(|name| (name, SECRET)));
        assert_silent(&run(&mut help, b""));
    }
}

#[test]
fn a_secret_in_a_file_is_not_shown_either() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("echo-host.toml");
    for text in [
        format!("[service.a]\nkeyvalue = 'redis://u:{SECRET}@[x'"),
        format!("[service.a]\nenv = '{SECRET}'"),
        format!("[service.a]\nenv = ['{SECRET}']"),
        format!("[service.a]\nconfig = {{ A = ['{SECRET}'] }}"),
        format!("[service.a]\nargs = '{SECRET}'"),
        format!("[service.a]\nkeyvalue = {{ url = '{SECRET}' }}"),
    ] {
        fs::write(&file, &text).unwrap();
        let finished = run(
            &mut echo_host(&["serve", "--config", file.to_str().unwrap()]),
            b"",
        );
        assert_eq!(finished.code, Some(78), "{text}: {finished:?}");
        assert_silent(&finished);
    }
}
