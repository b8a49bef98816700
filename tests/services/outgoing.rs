//! Connections that handlers open: to granted hosts only.

use crate::fixture::{Client, Host, echo_host, free_port, guest};
use std::net::TcpListener;

/// A host whose handler asks `upstream`, with the grants in `granted`.
fn relay(upstream: &str, granted: &[&str], more: &[&str]) -> Host {
    let variable = format!("UPSTREAM={upstream}");
    let handler = guest("relay");
    let mut args = vec![handler.as_str(), "--env", &variable];
    for address in granted {
        args.extend(["--allow-connect", address]);
    }
    Host::serve(&[&args, more].concat())
}

fn reverse() -> Host {
    Host::serve(&[&guest("reverse")])
}

#[test]
fn a_handler_asks_whom_it_may() {
    let upstream = reverse();
    let port = upstream.address().port();
    for (name, granted) in [
        (format!("127.0.0.1:{port}"), format!("127.0.0.1:{port}")),
        (format!("localhost:{port}"), format!("LOCALHOST:{port}")),
    ] {
        // A second grant, with the strictest sandbox.
        let others = [granted.as_str(), "192.0.2.1:80"];
        for isolation in ["connection", "message", "shared"] {
            let host = relay(&name, &others, &["--isolation", isolation]);
            let mut client = host.connect();
            // More often than an instance may have sockets: closed ones do not count.
            for _ in 0..40 {
                assert_eq!(client.ask("hello"), "olleh", "{name}");
            }
        }
    }
}

#[test]
fn a_handler_asks_over_ipv6() {
    let upstream = Host::serve(&[&guest("reverse"), "--listen", "tcp://[::1]:0"]);
    let address = upstream.address().to_string();
    let host = relay(&address, &[&address], &[]);
    assert_eq!(host.connect().ask("hello"), "olleh");
}

#[test]
fn whom_it_may_not_it_does_not_reach() {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    upstream.set_nonblocking(true).unwrap();
    let address = upstream.local_addr().unwrap();
    let port = address.port();
    let next = format!("127.0.0.1:{}", port ^ 1);
    let elsewhere = format!("127.0.0.2:{port}");
    let named = format!("localhost:{port}");
    for (granted, reason) in [
        (
            vec![],
            "network access denied: no host is granted (--allow-connect)",
        ),
        (
            vec![next.as_str()],
            "connection denied: this address is not granted (--allow-connect): ",
        ),
        (vec![elsewhere.as_str()], "connection denied"),
        // The addresses of a name are granted when it was looked up, not before.
        (vec![named.as_str()], "connection denied"),
    ] {
        let host = relay(&address.to_string(), &granted, &[]);
        let mut client = host.connect();
        for _ in 0..3 {
            let answer = client.ask("hello");
            assert!(answer.ends_with("access-denied"), "{granted:?}: {answer}");
        }
        let said = host.wait_for_log(reason);
        drop(client);
        let log = host.stop();
        assert_eq!(log.matches(reason).count(), 1, "{said} in {log}");
    }
    let refused = upstream.accept().unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn a_name_that_was_not_granted_is_not_looked_up() {
    let host = relay(
        "localhost:80",
        &["127.0.0.1:80", "localhost.example:80"],
        &[],
    );
    let answer = host.connect().ask("hello");
    assert!(answer.ends_with("permanent-resolver-failure"), "{answer}");
    host.wait_for_log("name lookup denied: this name is not granted (--allow-connect)");
}

#[test]
fn a_server_that_is_not_there_or_silent_costs_a_call_and_no_more() {
    let gone = format!("127.0.0.1:{}", free_port());
    let host = relay(&gone, &[&gone], &[]);
    assert!(host.connect().ask("hello").ends_with("connection-refused"));

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let host = relay(&address, &[&address], &["--call-timeout", "300ms"]);
    let mut client = host.connect();
    client.send("hello\n");
    client.expect_closed();
    host.wait_for_log("the handler took longer than 300ms");
    let (mut asked, _) = silent
        .accept()
        .map(|(stream, from)| (Client { stream }, from))
        .unwrap();
    // It ends with the instance.
    asked.expect("hello\n");
    asked.expect_closed();
}

/// Servers that never answer, for calls that wait for them.
#[test]
fn all_handlers_together_have_so_many_connections() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let more = ["--call-timeout", "60s", "--drain-timeout", "1ms"];
    let host = relay(&address, &[&address], &more);
    let mut waiting = Vec::new();
    let mut asked = Vec::new();
    for _ in 0..256 {
        let mut client = host.connect();
        client.send("hello\n");
        waiting.push(client);
        asked.push(silent.accept().unwrap());
    }
    let answer = host.connect().ask("hello");
    assert!(answer.ends_with("new-socket-limit"), "{answer}");
    let reached = host.status()["limits_reached"]["outgoing"].as_u64();
    assert!(reached.unwrap() >= 1, "{reached:?}");
    // A closed connection makes room.
    drop(asked);
    drop(waiting);
    host.wait_for_open(0);
    let mut client = host.connect();
    client.send("hello\n");
    silent.accept().unwrap();
}

#[test]
fn what_is_no_address_is_refused() {
    for bad in [
        "localhost",
        "localhost:",
        "localhost:0",
        "[::1]",
        ":80",
        "http://a:80",
    ] {
        let refused = echo_host(&["serve", "--allow-connect", bad]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains("expected HOST:PORT"), "{refused:?}");
    }
    let checked = echo_host(&["check", &guest("relay")]);
    let wants = "wasi:sockets/tcp             --allow-connect HOST:PORT\n";
    assert!(checked.stdout.contains(wants), "{checked:?}");
}
