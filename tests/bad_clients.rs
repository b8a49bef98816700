//! Clients that misbehave hurt only themselves: the next one is served, and nothing of them stays.

use crate::fixture::{Client, DEADLINE, Host, guest};
use rustix::net::sockopt::set_socket_linger;
use std::io::{ErrorKind, Read};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

const FRAMINGS: [&str; 12] = [
    "chunks",
    "lines",
    "length-prefixed:1",
    "length-prefixed:2",
    "length-prefixed:4",
    "length-field:1,2,le,adjust=-3,keep-header",
    "varint",
    "netstring",
    "cobs",
    "slip",
    "delimited:0d0a00",
    "fixed:7",
];

/// Closes with a reset rather than a FIN.
fn vanish(client: Client) {
    set_socket_linger(&client.stream, Some(Duration::ZERO)).unwrap();
}

/// Waits until all clients are gone and their resources are released. `before` was measured when
/// the host had served one client.
fn assert_settled(host: &Host, before: usize) {
    host.wait_for_open(0);
    let deadline = std::time::Instant::now() + DEADLINE;
    while host.usage().descriptors > before {
        assert!(
            std::time::Instant::now() < deadline,
            "{:?} {before}",
            host.usage()
        );
        thread::yield_now();
    }
}

/// The descriptors of a host that has served a client.
fn descriptors_after_one(host: &Host) -> usize {
    let mut client = host.connect();
    client.send("hello");
    client.finish();
    client.rest();
    host.wait_for_open(0);
    host.usage().descriptors
}

/// Noise that is the same each time.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let byte = || {
        // Xorshift: Marsaglia, Xorshift RNGs, 2003.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    std::iter::repeat_with(byte).take(length).collect()
}

#[test]
fn garbage_is_no_harm_in_any_framing() {
    for framing in FRAMINGS {
        let host = Host::serve(&[
            &guest("reverse"),
            "--framing",
            framing,
            "--max-message",
            "1KiB",
        ]);
        let before = descriptors_after_one(&host);
        for seed in 1..=20 {
            let mut client = host.connect();
            let mut reader = client.stream.try_clone().unwrap();
            let reading = thread::spawn(move || reader.read_to_end(&mut Vec::new()));
            for piece in noise(seed, 64 << 10).chunks(1 + 997 * seed as usize) {
                // The host may have closed the connection.
                if std::io::Write::write_all(&mut client.stream, piece).is_err() {
                    break;
                }
            }
            let _ = client.stream.shutdown(Shutdown::Write);
            match reading.join().unwrap() {
                Ok(_) => {}
                Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{framing}"),
            }
        }
        assert_settled(&host, before);
        let log = host.stop();
        assert!(!log.contains("ERROR"), "{framing}: {log}");
    }
}

#[test]
fn lengths_that_lie_end_the_connection() {
    let host = Host::serve(&[&guest("reverse"), "--framing", "length-prefixed:4"]);
    let resident = host.usage().resident_kib;
    // The largest length in four bytes, from many clients at once: the host reserves nothing for
    // it.
    let mut liars: Vec<Client> = (0..100).map(|_| host.connect()).collect();
    for client in &mut liars {
        client.send(b"\0\0\0\x02hi\xff\xff\xff\xff");
    }
    for client in &mut liars {
        client.expect("ih\n");
        client.expect_closed();
    }
    host.wait_for_log("a message is longer than the limit of 65536 bytes");
    // The log tells of a hundred such ends a second, so it may be that of a later client.
    let deadline = Instant::now() + DEADLINE;
    let told = "the stream ended 8 bytes into a message";
    while !host.process.stderr.text().contains(told) {
        assert!(Instant::now() < deadline, "not told");
        let mut client = host.connect();
        client.send(b"\0\0\0\x05half");
        client.finish();
        assert_eq!(client.rest(), b"");
    }
    host.wait_for_open(0);
    assert!(
        host.usage().resident_kib < resident + (64 << 10),
        "{:?}",
        host.usage()
    );
}

#[test]
fn messages_of_no_bytes_are_messages() {
    for (framing, sent, replies) in [
        ("lines", &b"\n\n\r\n"[..], "\n\n\n"),
        ("length-prefixed:1", b"\0\0", "\n\n"),
        ("length-prefixed:2", b"\0\0\0\0", "\n\n"),
        ("length-prefixed:4", b"\0\0\0\0\0\0\0\0", "\n\n"),
        ("length-field:0,2", b"\0\0\0\0", "\n\n"),
        ("varint", b"\0\x80\0", "\n\n"),
        ("netstring", b"0:,0:,", "\n\n"),
        ("cobs", b"\x01\0\x01\0", "\n\n"),
        ("delimited:3b", b";;;", "\n\n\n"),
    ] {
        let host = Host::serve(&[&guest("reverse"), "--framing", framing]);
        let mut client = host.connect();
        client.send(sent);
        client.expect(replies);
        client.finish();
        assert_eq!(client.rest(), b"", "{framing}");
    }
}

#[test]
fn whoever_leaves_may_leave_at_any_time() {
    const LARGE: usize = 4 << 20;
    let host = Host::serve(&[&guest("probe")]);
    let before = descriptors_after_one(&host);
    let large = format!("reply {LARGE}\n");
    // The state of a client before it leaves.
    let states: [fn(&mut Client, &str); 6] = [
        |_, _| {},
        |client, _| client.send("cou"),
        |client, _| client.send("count\n"),
        |client, _| assert_eq!(client.ask("count"), "1"),
        |client, large| client.send(large),
        |client, large| {
            client.send(large);
            client.expect(vec![b'x'; LARGE / 2]);
        },
    ];
    for state in states {
        let come = || {
            let mut client = host.connect();
            state(&mut client, &large);
            client
        };
        vanish(come());
        // A FIN, possibly with unread data.
        drop(come());
        // Half-closes, waits for the host's FIN, and closes.
        let mut client = come();
        client.finish();
        let rest = client.rest();
        assert!(rest.len() <= LARGE + 1);
        // Shuts down reading, which only its own kernel knows.
        let client = come();
        let _ = client.stream.shutdown(Shutdown::Read);
        drop(client);
        // Both directions at once.
        let client = come();
        let _ = client.stream.shutdown(Shutdown::Both);
        assert_eq!(host.connect().ask("count"), "1");
    }
    assert_settled(&host, before);
    let log = host.stop();
    assert!(!log.contains("ERROR") && !log.contains("panic"), "{log}");
}

#[test]
fn a_flood_waits_for_its_turn() {
    let host = Host::serve(&["--max-connections", "10"]);
    let flood: Vec<_> = (0..300)
        .map(|number| {
            let address = host.address();
            thread::spawn(move || {
                let mut client = Client::connect(address);
                let said = format!("number {number}");
                client.send(&said);
                client.finish();
                assert_eq!(client.rest(), said.as_bytes());
            })
        })
        .collect();
    for client in flood {
        client.join().unwrap();
    }
    let status = host.wait_for_open(0);
    assert_eq!(status["connections"]["total"], 300);
    assert!(
        status["limits_reached"]["max-connections"]
            .as_u64()
            .unwrap()
            > 0
    );
}

#[test]
fn thousands_that_connect_and_vanish_leave_nothing() {
    let host = Host::serve(&["--max-connections", "50", "--log-level", "warn"]);
    let (resident, before) = (host.usage().resident_kib, host.usage().descriptors + 2);
    for number in 0..3000 {
        let stream = TcpStream::connect(host.address()).unwrap();
        match number % 2 {
            0 => vanish(Client { stream }),
            _ => drop(stream),
        }
    }
    let mut client = host.connect();
    client.send("still there");
    client.expect("still there");
    drop(client);
    assert_settled_quietly(&host, before);
    let after = host.usage();
    assert!(
        after.resident_kib < resident + (32 << 10),
        "{resident} {after:?}"
    );
}

/// Like [`assert_settled`], for a host that does not log the path of its control socket.
fn assert_settled_quietly(host: &Host, before: usize) {
    let deadline = std::time::Instant::now() + DEADLINE;
    while host.usage().descriptors > before {
        assert!(
            std::time::Instant::now() < deadline,
            "{:?} {before}",
            host.usage()
        );
        thread::yield_now();
    }
}

#[test]
fn slow_writers_and_slow_readers_get_every_byte_and_hold_up_nobody() {
    const MESSAGE: &[u8] = b"count\n";
    let host = Host::serve(&[&guest("probe"), "--workers", "1"]);
    let mut neighbour = host.connect();
    let mut answered = 0;
    let mut served = || {
        answered += 1;
        assert_eq!(neighbour.ask("count"), answered.to_string());
    };
    // One byte from each, again and again.
    let mut writers: Vec<Client> = (0..100).map(|_| host.connect()).collect();
    for byte in MESSAGE.chunks(1) {
        for writer in &mut writers {
            writer.send(byte);
        }
        served();
    }
    for writer in &mut writers {
        writer.expect("1\n");
    }
    // Replies far larger than the kernel's buffers, each read in small pieces.
    const LARGE: usize = 8 << 20;
    let mut readers: Vec<Client> = (0..4).map(|_| host.connect()).collect();
    for reader in &mut readers {
        reader.send(format!("reply {LARGE}\n"));
    }
    for _ in 0..200 {
        for reader in &mut readers {
            reader.expect("x");
        }
        served();
    }
    for reader in &mut readers {
        reader.finish();
        let rest = reader.rest();
        assert_eq!(rest.len(), LARGE - 200 + 1);
    }
}
