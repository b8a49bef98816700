//! Files with mistakes: `check` and `serve` refuse them alike, and a reload too.

use super::site::Site;
use crate::fixture::{DEADLINE, Finished, Host, run_within};
use crate::transports::certificates::Authority;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Files that nobody serves, and what is wrong with them.
pub const BROKEN: &[(&str, &str)] = &[
    ("A misspelled key", "[service.chat]\nisolaton = 'shared'"),
    (
        "All mistakes at once",
        "worker = 2\n[service.a]\nlisten = ['8888']\nidle-timeout = 30\n[service.b]\nframing = 'words'",
    ),
    (
        "A key that belongs to a listener",
        "[service.a]\ntls-cert = 'cert.pem'",
    ),
    ("A key that belongs to a service", "handler = 'hello'"),
    (
        "A key that belongs to the host",
        "[service.a]\nlog-format = 'json'",
    ),
    ("A list of services", "[[service]]\nhandler = 'hello'"),
    ("A service without a name", "[service]\nhandler = 'hello'"),
    ("A bad name", "[service.\"My chat\"]"),
    ("No workers", "workers = 0"),
    ("A time without a unit", "[service.a]\nidle-timeout = 10"),
    ("A size that is too small", "[service.a]\nmax-memory = 5"),
    (
        "A value that was misspelled",
        "[service.a]\nisolation = 'share'",
    ),
    (
        "A list in place of a text",
        "[service.a]\nframing = ['lines']",
    ),
    (
        "An address without a scheme",
        "[service.a]\nlisten = '127.0.0.1:7'",
    ),
    ("Not TOML", "[service.a]\nlisten = 'tcp://127.0.0.1:7"),
    ("A key twice", "workers = 1\nworkers = 2"),
    (
        "Secrets are hidden",
        "[service.a]\nenv = { TOKEN = 'hunter2', RETRIES = 3 }",
    ),
    (
        "A listener twice",
        "[service.a]\nlisten = [\n  'tcp://127.0.0.1:19000',\n  'tcp://127.0.0.1:19000',\n]",
    ),
    (
        "Two services on one address",
        "[service.a]\nlisten = 'tcp://127.0.0.1:19000'\n[service.b]\nlisten = 'tcp://127.0.0.1:19000'",
    ),
    (
        "Addresses that overlap",
        "[service.a]\nlisten = ['tcp://0.0.0.0:19000', 'tcp://127.0.0.1:19000']",
    ),
    (
        "Metrics where clients are",
        "metrics = 'tcp://127.0.0.1:19000'\n[service.a]\nlisten = 'tcp://0.0.0.0:19000'",
    ),
    ("No listener", "[service.a]\nlisten = []"),
    (
        "TLS without a certificate",
        "[service.a]\nlisten = 'tls://127.0.0.1:0'",
    ),
    (
        "Half a certificate",
        "[service.a]\nlisten = { uri = 'tls://127.0.0.1:0', tls-cert = 'cert.pem' }",
    ),
    (
        "A certificate with another key",
        "[[service.a.listen]]\nuri = 'tls://127.0.0.1:0'\ntls-cert = 'cert.pem'\ntls-key = 'other.key'",
    ),
    (
        "A certificate that is not there",
        "[[service.a.listen]]\nuri = 'tls://127.0.0.1:0'\ntls-cert = 'x.pem'\ntls-key = 'other.key'",
    ),
    (
        "TLS for a listener without",
        "[[service.a.listen]]\nuri = 'udp://127.0.0.1:0'\ntls-self-signed = true",
    ),
    (
        "A handler in another directory",
        "[service.a]\nlisten = 'tcp://127.0.0.1:0'\nhandler = 'handlers/here.wasm'",
    ),
    (
        "A demo that was misspelled",
        "[service.a]\nlisten = 'tcp://127.0.0.1:0'\nhandler = 'helo'",
    ),
    (
        "A directory that is not there",
        "[service.a]\nlisten = 'tcp://127.0.0.1:0'\ndirs = ['none::/data']",
    ),
    (
        "A directory with what the host trusts",
        "[service.a]\nlisten = 'tcp://127.0.0.1:0'\ndirs = ['.::/data']",
    ),
    ("A user that is not there", "user = 'nobody-of-this-name'"),
    (
        "A handler that is none",
        "[service.a]\nlisten = 'tcp://127.0.0.1:0'\nhandler = 'bad.wasm'",
    ),
    (
        "An isolation that the handler cannot have",
        "[service.a]\nlisten = 'tcp://127.0.0.1:0'\nhandler = 'chat'\nisolation = 'message'",
    ),
];

/// A directory with the files that these name. Commands run in its directory `work`.
pub fn place() -> Site {
    let site = Site::new("");
    let authority = Authority::new();
    let files = authority.sign("server", &["localhost"], "localhost");
    let other = authority.sign("other", &["localhost"], "localhost");
    fs::create_dir_all(site.path("work/handlers")).unwrap();
    fs::copy(files.certificate, site.path("cert.pem")).unwrap();
    fs::copy(other.key, site.path("other.key")).unwrap();
    site.put("bad.wasm", "bad");
    site.put("work/handlers/here.wasm", "bad");
    site
}

/// Runs a command there, without the user's own files.
pub fn run_in(site: &Site, args: &[&str]) -> Finished {
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    command.args(args).current_dir(site.path("work"));
    command
        .env("HOME", site.path("work"))
        .env("XDG_RUNTIME_DIR", site.path("work"));
    run_within(DEADLINE, &mut command, b"")
}

/// What is said behind log lines.
fn error(finished: &Finished) -> &str {
    let at = finished.stderr.find("echo-host: ");
    &finished.stderr[at.unwrap_or_else(|| panic!("{finished:?}"))..]
}

#[test]
fn check_and_serve_refuse_the_same_files_with_the_same_words() {
    let site = place();
    let file = site.path("echo-host.toml");
    for (what, text) in BROKEN {
        site.put("echo-host.toml", text);
        let checked = run_in(&site, &["check", "--config", &file]);
        let served = run_in(&site, &["serve", "--config", &file, "--no-control"]);
        assert!(matches!(checked.code, Some(65 | 78)), "{what}: {checked:?}");
        assert_eq!(checked.code, served.code, "{what}: {served:?}");
        assert_eq!(error(&checked), error(&served), "{what}");
        assert!(!checked.stderr.contains("hunter2"), "{checked:?}");
    }
}

#[test]
fn variables_count_for_check_as_for_serve() {
    let site = place();
    site.put(
        "echo-host.toml",
        "[service.a]\n[service.b]\nlisten = 'tcp://127.0.0.1:0'",
    );
    let file = site.path("echo-host.toml");
    for command in ["check", "serve"] {
        let mut command = {
            let mut it = Command::new(env!("CARGO_BIN_EXE_echo-host"));
            it.args([command, "--config", &file]);
            it
        };
        command.env("ECHO_HOST_LISTEN", "tcp://127.0.0.1:0");
        let refused = run_within(DEADLINE, &mut command, b"");
        assert_eq!(refused.code, Some(78), "{refused:?}");
        let why = "--listen (ECHO_HOST_LISTEN) applies to one service";
        assert!(refused.stderr.contains(why), "{refused:?}");
    }
    // What a variable says has no place in the file, and is named.
    site.put(
        "echo-host.toml",
        "[service.a]\nlisten = 'tls://127.0.0.1:0'",
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    command.args(["check", "--config", &file]);
    command.env("ECHO_HOST_LISTEN", "tls://127.0.0.1:0");
    let refused = run_within(DEADLINE, &mut command, b"");
    assert!(
        refused.is_one_error() && refused.stderr.contains("--tls-cert"),
        "{refused:?}"
    );
}

#[test]
fn check_binds_only_if_asked_and_closes_at_once() {
    let site = place();
    let host = Host::serve(&["--control", &site.path("first.sock")]);
    let taken = format!("tcp://{}", host.address());
    site.write(&format!("[service.a]\nlisten = ['unix:a.sock', '{taken}']"));
    let file = site.path("echo-host.toml");
    let checked = run_in(&site, &["check", "--config", &file]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    let bound = run_in(&site, &["check", "--config", &file, "--bind"]);
    let served = run_in(&site, &["serve", "--config", &file]);
    assert_eq!((bound.code, served.code), (Some(69), Some(69)), "{bound:?}");
    assert_eq!(error(&bound), error(&served));
    assert!(bound.stderr.contains("address already in use"), "{bound:?}");
    host.stop();
    let bound = run_in(&site, &["check", "--config", &file, "--bind"]);
    assert_eq!(bound.code, Some(0), "{bound:?}");
    for socket in ["a.sock", "host.sock"] {
        assert!(!Path::new(&site.path(socket)).exists(), "{socket}");
    }
    let without = run_in(&site, &["check", "hello", "--bind"]);
    assert_eq!(without.code, Some(2), "{without:?}");
}

#[test]
fn a_reload_shows_the_same_mistakes() {
    let site = place();
    site.write("[service.a]\nlisten = 'tcp://127.0.0.1:0'");
    let host = site.serve(1);
    site.write("[service.a]\nlisten = '8888'\nisolaton = 'shared'\nenv = { A = 'hunter2', B = 1 }");
    let checked = run_in(&site, &["check", "--config", &site.path("echo-host.toml")]);
    let refused = site.reload().unwrap_err();
    assert_eq!(refused, checked.stderr);
    assert!(refused.contains("3 mistakes in "), "{refused}");
    let line = host.wait_for_log("did you mean `isolation`?");
    assert!(line.contains("ERROR"), "{line}");
    assert!(!host.process.stderr.text().contains("hunter2"));
    let status = site.status();
    let reason = status["last_refused_reload"]["reason"].as_str().unwrap();
    assert!(
        reason.contains(":3:10: invalid value of `listen`: ") && reason.ends_with("(and 2 more)"),
        "{reason}"
    );
}
