//! The echo must be exact.

use crate::fixture::{Client, Host, guest, warnings};
use std::io::Read;
use std::net::SocketAddr;
use std::thread;

/// Bytes without a pattern that could hide an error (a linear congruential generator, after Knuth's
/// MMIX).
fn noise(length: usize) -> Vec<u8> {
    let mut state = 42u64;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// Sends and receives at the same time, half-closes, and compares every byte.
fn assert_echoes(address: SocketAddr, data: &[u8]) {
    let mut client = Client::connect(address);
    let mut reader = client.stream.try_clone().unwrap();
    let mut received = Vec::new();
    thread::scope(|scope| {
        scope.spawn(|| reader.read_to_end(&mut received).unwrap());
        client.send(data);
        client.finish();
    });
    assert!(
        received == data,
        "{} bytes came back of {}",
        received.len(),
        data.len()
    );
}

#[test]
fn the_built_in_echo_returns_every_byte() {
    let host = Host::serve(&[]);
    for length in [1, 1000, 1 << 20, 16 << 20] {
        assert_echoes(host.address(), &noise(length));
    }
}

#[test]
fn the_rust_echo_returns_every_byte() {
    let host = Host::serve(&[&guest("echo")]);
    for length in [1, 1000, 1 << 20, 16 << 20] {
        assert_echoes(host.address(), &noise(length));
    }
}

#[test]
fn a_message_of_16_mib_is_one_message() {
    let host = Host::serve(&["--framing", "fixed:16777216", "--max-message", "16MiB"]);
    assert_echoes(host.address(), &noise(16 << 20));
}

#[test]
fn a_client_that_sends_everything_before_it_reads_gets_everything() {
    let host = Host::serve(&[]);
    let data = noise(200 << 10);
    let mut client = host.connect();
    client.send(&data);
    client.expect(&data);
}

#[test]
fn one_byte_at_a_time() {
    let host = Host::serve(&[]);
    let mut client = host.connect();
    for byte in noise(500) {
        client.send([byte]);
        client.expect([byte]);
    }
}

#[test]
fn an_empty_connection_ends_quietly() {
    let host = Host::serve(&[]);
    let mut client = host.connect();
    client.finish();
    assert_eq!(client.rest(), b"");
    drop(host.connect());
    let log = host.stop();
    assert!(warnings(&log).is_empty() && !log.contains("ERROR"), "{log}");
}

#[test]
fn two_hundred_connections_at_once() {
    let host = Host::serve(&[]);
    let mut clients: Vec<_> = (0..200).map(|_| host.connect()).collect();
    for round in 0..3 {
        for (number, client) in clients.iter_mut().enumerate() {
            client.send(format!("round {round}, client {number}"));
        }
        for (number, client) in clients.iter_mut().enumerate() {
            client.expect(format!("round {round}, client {number}"));
        }
    }
}

#[test]
fn pipelined_messages_are_answered_in_order() {
    let host = Host::serve(&[&guest("reverse")]);
    let mut client = host.connect();
    let lines: Vec<_> = (1000..3000).map(|number| number.to_string()).collect();
    client.send(lines.join("\n"));
    client.finish();
    let replies: Vec<String> = lines
        .iter()
        .map(|line| line.chars().rev().collect())
        .collect();
    assert_eq!(
        client.rest(),
        format!("{}\n", replies.join("\n")).as_bytes()
    );
}

#[test]
fn it_listens_on_several_addresses_and_on_ipv6() {
    let args = [
        "--listen",
        "tcp://127.0.0.1:0",
        "--listen",
        "tcp://[::1]:0",
        "--listen",
        "tcp://localhost:0",
    ];
    let host = Host::serve(&args);
    assert!(host.addresses()[0].is_ipv4() && host.addresses()[1].is_ipv6());
    for address in host.addresses() {
        assert_ne!(address.port(), 0);
        assert_echoes(address, b"Hello, server!");
    }
}

#[test]
fn ipv4_and_ipv6_listen_side_by_side_on_one_port() {
    let first = Host::serve(&["--listen", "tcp://[::1]:0"]);
    let port = first.address().port();
    let second = Host::serve(&["--listen", &format!("tcp://127.0.0.1:{port}")]);
    assert_echoes(first.address(), b"six");
    assert_echoes(second.address(), b"four");
}
