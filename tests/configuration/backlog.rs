//! The listen backlog: `--listen-backlog`.

use super::site::Site;
use crate::fixture::{Host, echo_host, run};
use std::fs;
use std::process::Command;

/// The backlog of the socket with this address or path, from the kernel.
fn backlog(address: &str) -> usize {
    let sockets = run(Command::new("ss").args(["-Hlntx"]), b"").stdout;
    let columns = sockets
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut sockets = columns.filter(|columns| columns.get(4) == Some(&address));
    let socket = sockets
        .next()
        .unwrap_or_else(|| panic!("no {address} in {sockets:?}"));
    socket[3].parse().unwrap()
}

/// The entry of a URI in the list of sockets.
fn address(uri: &str) -> &str {
    let (_, address) = uri.split_once(':').unwrap();
    address.trim_start_matches("//")
}

/// The kernel's maximum.
fn most() -> usize {
    let most = fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
    most.trim().parse().unwrap()
}

#[test]
fn a_backlog_is_that_of_every_socket_on_which_connections_wait() {
    let folder = tempfile::tempdir().unwrap();
    let unix = format!("unix:{}", folder.path().join("a.sock").display());
    let listeners = [
        "tcp://127.0.0.1:0",
        "tls://127.0.0.1:0",
        "telnet://127.0.0.1:0",
        "udp://127.0.0.1:0",
        &unix,
    ];
    let listen: Vec<_> = listeners.iter().flat_map(|uri| ["--listen", uri]).collect();
    let tls = ["--tls-self-signed"];
    for (options, expected) in [(&[][..], 1024.min(most())), (&["--listen-backlog", "7"], 7)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        command.arg("serve").args(&listen).args(tls).args(options);
        let host = Host::start_as_it_is(&mut command, listeners.len());
        let uris = host.uris().iter();
        let mut sockets = uris.filter(|uri| !uri.starts_with("udp:"));
        assert!(sockets.all(|uri| backlog(address(uri)) == expected));
    }
}

#[test]
fn a_reload_changes_the_backlog_of_an_open_socket() {
    let with = |backlog: &str| {
        let first = format!("{{ uri = 'unix:a.sock', listen-backlog = {backlog} }}");
        format!("[service.a]\nlisten = [{first}, 'unix:b.sock']")
    };
    let site = Site::new(&with("5"));
    let _host = site.serve(2);
    assert_eq!(backlog(&site.path("a.sock")), 5);
    site.write(&with("9"));
    site.reload().unwrap();
    assert_eq!(backlog(&site.path("a.sock")), 9);
    assert_eq!(backlog(&site.path("b.sock")), 1024.min(most()));
}

#[test]
fn a_backlog_is_refused_where_no_connection_waits() {
    for uri in ["udp://127.0.0.1:0", "stdio:"] {
        let listener = format!("{{ uri = '{uri}', listen-backlog = 7 }}");
        let site = Site::new(&format!("[service.a]\nlisten = [{listener}]"));
        let checked = echo_host(&["check", "--config", &site.path("echo-host.toml")]);
        assert_eq!(checked.code, Some(78), "{checked:?}");
        let why = format!("`listen-backlog` does not apply to {uri}\n");
        assert!(checked.stderr.contains(&why), "{checked:?}");
    }
    let zero = echo_host(&["serve", "--listen-backlog", "0"]);
    assert_eq!(zero.code, Some(2), "{zero:?}");
}
