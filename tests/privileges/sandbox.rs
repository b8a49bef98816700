//! The sandbox around a host that serves.

use super::assert_all;
use crate::configuration::site::Site;
use crate::fixture::{Finished, Host, echo_host, guest};
use crate::swap::post::Folder;
use crate::swap::versions::signer;
use std::fs;
use std::process::Command;

/// Serves from its directory, with a control socket in it.
fn serve(folder: &Folder, args: &[&str]) -> Host {
    let (handler, control) = (folder.path("handler"), folder.path("host.sock"));
    let own = [
        &handler,
        "--control",
        &control,
        "--framing",
        "lines",
        "--sandbox",
        "on",
    ];
    Host::serve(&[&own[..], args].concat())
}

fn order(folder: &Folder, args: &[&str]) -> Finished {
    echo_host(&[args, &["--control", &folder.path("host.sock")]].concat())
}

#[test]
fn every_thread_is_confined_unless_it_is_off() {
    let host = Host::serve(&[&guest("upper")]);
    assert_eq!(host.connect().ask("hello"), "HELLO");
    let pid = host.process.id();
    assert_all(pid, "Seccomp", "2");
    assert_all(pid, "NoNewPrivs", "1");
    let free = Host::serve(&["--sandbox", "off"]);
    assert_eq!(free.connect().ask("hello"), "hello");
    assert_all(free.process.id(), "Seccomp", "0");
    assert_all(free.process.id(), "NoNewPrivs", "1");
}

#[test]
fn no_page_can_be_written_and_executed() {
    let host = Host::serve(&[&guest("chat"), "--isolation", "shared"]);
    let mut client = host.connect();
    client.expect("* Welcome, guest1.");
    let maps = fs::read_to_string(format!("/proc/{}/maps", host.process.id())).unwrap();
    let mut compiled = 0;
    for line in maps.lines() {
        let mut columns = line.split_whitespace();
        let (rights, file) = (columns.nth(1).unwrap(), columns.nth(3));
        assert!(!(rights.contains('w') && rights.contains('x')), "{line}");
        if rights.contains('x') && file.is_none() {
            compiled += 1;
        }
    }
    // The handler is there, and the host's own code is in files.
    assert!(compiled > 0, "{maps}");
}

#[test]
fn a_swap_reads_what_the_client_has_opened_and_nothing_else() {
    let (folder, elsewhere) = (Folder::new(), Folder::new());
    folder.put("handler", signer("v1"));
    let other = elsewhere.put("other", signer("v2"));
    let host = serve(&folder, &[]);
    let swapped = order(&folder, &["swap", &other]);
    assert_eq!(swapped.code, Some(0), "{swapped:?}");
    assert_eq!(host.connect().ask("x"), "v2 x");
    // By path, the host would have to open it.
    elsewhere.put("other", signer("v3"));
    let refused = order(&folder, &["swap"]);
    assert_eq!(refused.code, Some(65), "{refused:?}");
    let directory = elsewhere.path("");
    let reason = format!(
        "the sandbox (--sandbox) was set up without {}\nhint: name it with --sandbox-read",
        directory.trim_end_matches('/')
    );
    assert!(refused.stderr.contains(&reason), "{refused:?}");
    assert_eq!(host.connect().ask("x"), "v2 x");
    // If neither can read a file, the error is the usual one.
    let missing = order(&folder, &["swap", &elsewhere.path("missing")]);
    assert!(missing.stderr.contains("No such file"), "{missing:?}");
    let pipe = elsewhere.path("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    for unfit in [
        (&pipe, "is not a regular file"),
        (&directory, "is a directory"),
    ] {
        let refused = order(&folder, &["swap", unfit.0]);
        assert_eq!(refused.code, Some(65), "{refused:?}");
        assert!(refused.stderr.contains(unfit.1), "{refused:?}");
    }
    drop(host);

    let named = serve(&folder, &["--sandbox-read", &directory]);
    assert_eq!(order(&folder, &["swap", &other]).code, Some(0));
    assert_eq!(named.connect().ask("x"), "v3 x");
    elsewhere.put("other", signer("v4"));
    assert_eq!(order(&folder, &["swap"]).code, Some(0));
    assert_eq!(named.connect().ask("x"), "v4 x");
}

#[test]
fn a_reload_can_name_other_files_and_grant_nothing_new() {
    let one = "[service.one]\nlisten = ['tcp://127.0.0.1:0']\n";
    let site = Site::new(one);
    let host = site.serve(1);
    let elsewhere = Folder::new();
    elsewhere.put("a.wat", signer("v1"));
    let directory = elsewhere.path("");
    let directory = directory.trim_end_matches('/');
    for (more, reason) in [
        (
            format!("require-signature = ['{directory}/a.pub']"),
            "No such file",
        ),
        (
            format!("probes = ['{directory}/b.exchange']"),
            "there is no file of exchanges",
        ),
        (format!("dirs = ['{directory}']"), "restart the host"),
    ] {
        site.write(&format!("{one}{more}"));
        let refused = site.run(&["reload"]);
        assert_ne!(refused.code, Some(0), "{more}: {refused:?}");
        assert!(refused.stderr.contains(directory), "{more}: {refused:?}");
        assert!(refused.stderr.contains(reason), "{more}: {refused:?}");
    }
    for more in [
        "allow-connect = ['localhost:7'] ",
        "keyvalue = 'redis://localhost:7'",
    ] {
        site.write(&format!("{one}{more}"));
        let refused = site.run(&["reload"]);
        let reason = "cannot connect to port 7: the sandbox (`sandbox`) was set up without connections to this port\n";
        assert!(refused.stderr.contains(reason), "{more}: {refused:?}");
        assert!(
            refused.stderr.ends_with("\nhint: restart the host\n"),
            "{more}: {refused:?}"
        );
    }
    site.write(&format!(
        "[service.one]\nlisten = ['tcp://127.0.0.1:0', 'unix:{directory}/a.sock']\n"
    ));
    let refused = site.run(&["reload"]);
    assert!(refused.stderr.contains("restart the host"), "{refused:?}");
    assert_eq!(host.connect().ask("hello"), "hello");
    site.put("b.wat", signer("v2"));
    for (handler, expected) in [("b.wat", "v2 x"), (&*format!("{directory}/a.wat"), "v1 x")] {
        site.write(&format!("{one}handler = '{handler}'\nframing = 'lines'\n"));
        site.reload().unwrap();
        assert_eq!(site.connect("one").ask("x"), expected);
    }
    site.write(&format!("sandbox = 'off'\n{one}"));
    site.reload().unwrap();
    host.wait_for_log("`sandbox` cannot change while the host runs");
}
