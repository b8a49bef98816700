//! Link-local addresses, which are valid on one interface only (RFC 4007).

use super::connect;
use crate::fixture::{Host, echo_host, guest, run, tool};
use std::fs;
use std::net::Ipv6Addr;

/// A link-local address of this machine, and its interface. The kernel gives one to most
/// interfaces.
fn link_local() -> Option<(Ipv6Addr, String)> {
    let all = fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
    all.lines().find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let address = Ipv6Addr::from_bits(u128::from_str_radix(fields.first()?, 16).ok()?);
        let is_up = !address.is_unspecified() && address.is_unicast_link_local();
        is_up.then(|| Some((address, (*fields.last()?).to_owned())))?
    })
}

#[test]
fn a_link_local_address_is_served_on_its_interface() {
    let Some((address, interface)) = link_local() else {
        return eprintln!("this machine has no link-local address");
    };
    let shown = format!("[{address}%{interface}]");
    let encoded = format!("[{address}%25{interface}]");
    for (scheme, zoned) in [("tcp", &shown), ("tcp", &encoded), ("udp", &shown)] {
        let allow = format!("{address}%{interface}");
        let listen = format!("{scheme}://{zoned}:0");
        let host = Host::serve(&["--listen", &listen, "--allow", &allow]);
        let uri = host.uri();
        assert!(uri.starts_with(&format!("{scheme}://{shown}:")), "{uri}");
        let finished = connect(&[uri], "hello");
        assert_eq!(finished.stdout, "hello", "{finished:?}");
    }
}

#[test]
fn who_is_allowed_is_allowed_on_one_interface() {
    let Some((address, interface)) = link_local() else {
        return eprintln!("this machine has no link-local address");
    };
    let uri = format!("tcp://[{address}%{interface}]:0");
    for (allow, served) in [("fe80::%lo/64", false), ("fe80::/64", true)] {
        let host = Host::serve(&["--listen", &uri, "--allow", allow]);
        let finished = connect(&[host.uri()], "hello");
        assert_eq!(finished.stdout == "hello", served, "{allow}: {finished:?}");
    }
}

#[test]
fn the_metrics_are_there_too() {
    let Some((address, interface)) = link_local() else {
        return eprintln!("this machine has no link-local address");
    };
    let uri = format!("tcp://[{address}%{interface}]:0");
    let host = Host::serve(&["--metrics", &uri]);
    let logged = host.wait_for_log("metrics at tcp://");
    let address = logged.split("tcp://").last().unwrap().to_owned();
    let mut curl = tool("curl");
    curl.args(["-sSfg", &format!("http://{address}/metrics")]);
    let finished = run(&mut curl, b"");
    assert!(
        finished.stdout.contains("echo_host_connections"),
        "{finished:?}"
    );
}

#[test]
fn what_is_wrong_with_a_zone_is_told_as_that() {
    for (arguments, code, reason) in [
        (
            ["--listen", "tcp://[fe80::1]:0"],
            69,
            "a link-local address needs its interface, such as [fe80::1%eth0]",
        ),
        (
            ["--listen", "tcp://[fe80::1%no-such-one]:0"],
            69,
            "this machine has no network interface for fe80::1%no-such-one",
        ),
        (
            ["--listen", "tcp://[::1%lo]:0"],
            2,
            "only link-local addresses (fe80::/10) have one",
        ),
        (
            ["--allow", "fe80::%no-such-one/64"],
            2,
            "this machine has no network interface for",
        ),
        (
            ["--allow-connect", "[fe80::1]:80"],
            2,
            "a link-local address needs its interface",
        ),
    ] {
        let finished = echo_host(&[&["serve", &guest("echo")], &arguments[..]].concat());
        assert_eq!(finished.code, Some(code), "{finished:?}");
        assert!(finished.stderr.contains(reason), "{finished:?}");
        assert!(!finished.stderr.contains("path"), "{finished:?}");
    }
    let finished = connect(&["tcp://[fe80::1]:80"], "");
    assert_eq!(finished.code, Some(69), "{finished:?}");
    let reason = "a link-local address needs its interface";
    assert!(finished.stderr.contains(reason), "{finished:?}");
}
