//! Limits, and what clients and the operator see when they are reached.

use crate::fixture::{Client, DEADLINE, Host, guest};
use std::io::{ErrorKind, Write};
use std::net::Shutdown;
use std::process::Command;
use std::time::{Duration, Instant};

#[test]
fn a_message_that_is_too_long_is_refused_before_it_is_buffered() {
    let host = Host::serve(&[&guest("reverse"), "--max-message", "1KiB"]);
    let mut client = host.connect();
    client.send(format!("ok\n{}\n", "x".repeat(1024)));
    client.expect(format!("ko\n{}\n", "x".repeat(1024)));
    client.send("x".repeat(1025));
    client.expect_closed();
    host.wait_for_log(
        "closed: the client broke the framing: a message is longer than the limit of 1024 bytes",
    );
}

#[test]
fn a_handlers_own_limit_holds_without_an_option() {
    let host = Host::serve(&[&guest("reverse")]);
    let mut client = host.connect();
    client.send("x".repeat(65_537));
    client.expect_closed();
    host.wait_for_log("longer than the limit of 65536 bytes");
}

#[test]
fn raising_a_handlers_limit_is_said_and_lowering_it_is_not() {
    let host = Host::serve(&[&guest("reverse"), "--max-message", "128KiB"]);
    host.wait_for_log("--max-message 131072 exceeds the 65536 bytes that the handler declares");
    assert_eq!(host.connect().ask(&"x".repeat(100_000)).len(), 100_000);
    let host = Host::serve(&[&guest("reverse"), "--max-message", "1KiB"]);
    assert!(!host.stop().contains("is more than"));
}

#[test]
fn a_client_that_does_not_read_is_not_read_from_either() {
    let host = Host::serve(&[]);
    let mut client = host.connect();
    client
        .stream
        .set_write_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    let block = [b'x'; 64 << 10];
    let mut sent = 0;
    let stopped = loop {
        match client.stream.write(&block) {
            Ok(written) => sent += written,
            Err(error) => break error,
        }
        // The kernel buffers some megabytes on both sides; the host must not add to that without
        // limit.
        assert!(sent < 64 << 20, "the host took {sent} bytes");
    };
    assert_eq!(stopped.kind(), ErrorKind::WouldBlock);
    client.finish();
    assert_eq!(client.rest().len(), sent);
}

#[test]
fn an_idle_connection_is_closed() {
    let host = Host::serve(&["--idle-timeout", "1s"]);
    let mut client = host.connect();
    client.send("hello");
    client.expect("hello");
    client.expect_closed();
    host.wait_for_log("no byte moved for 1s (--idle-timeout)");
}

#[test]
fn clients_beyond_the_limit_wait_for_a_permit() {
    let host = Host::serve(&["--max-connections", "2"]);
    let mut first = host.connect();
    let mut second = host.connect();
    for client in [&mut first, &mut second] {
        client.send("served");
        client.expect("served");
    }
    let mut third = host.connect();
    third.send("waiting");
    host.wait_for_log("connection limit reached (--max-connections)");
    drop(first);
    third.expect("waiting");
}

#[test]
fn an_address_gets_no_more_than_its_share() {
    let host = Host::serve(&["--max-connections-per-ip", "2"]);
    let mut first = host.connect();
    let mut second = host.connect();
    for client in [&mut first, &mut second] {
        client.send("served");
        client.expect("served");
    }
    for _ in 0..3 {
        assert_eq!(host.connect().rest(), b"");
    }
    host.wait_for_log("connection limit of a client reached (--max-connections-per-ip)");
    let mut neighbour = Client::connect_from("127.0.0.2", host.address());
    neighbour.send("welcome");
    neighbour.expect("welcome");
    drop(first);
    let status = host.wait_for_open(2);
    assert_eq!(status["limits_reached"]["max-connections-per-ip"], 3);
    assert_eq!(status["turned_away"], 3);
    // Its share is released at about this moment.
    let deadline = Instant::now() + DEADLINE;
    let served = || {
        let mut third = host.connect();
        third.send("served");
        third.is_served()
    };
    while !served() {
        assert!(Instant::now() < deadline);
    }
}

#[test]
fn a_lack_of_descriptors_does_not_end_the_server() {
    let command = "ulimit -n 32; exec \"$0\" \"$@\"";
    let mut shell = Command::new("sh");
    shell.args(["-c", command, env!("CARGO_BIN_EXE_echo-host"), "serve"]);
    let host = Host::start(&mut shell, &[]);
    let crowd: Vec<Client> = (0..40).map(|_| host.connect()).collect();
    host.wait_for_log("cannot accept, waiting");
    drop(crowd);
    let mut client = host.connect();
    client.send("still there");
    client.expect("still there");
}

#[test]
fn clients_that_vanish_do_no_harm() {
    let host = Host::serve(&[&guest("reverse")]);
    for _ in 0..50 {
        let mut client = host.connect();
        client.send("half a li");
        // A reset rather than a FIN.
        rustix::net::sockopt::set_socket_linger(&client.stream, Some(Duration::ZERO)).unwrap();
        drop(client);
        let mut client = host.connect();
        client.send("x\n".repeat(1000));
        let _ = client.stream.shutdown(Shutdown::Read);
        drop(client);
    }
    assert_eq!(host.connect().ask("hello"), "olleh");
    let log = host.stop();
    assert!(!log.contains("ERROR"), "{log}");
}
