//! Rates: the limits per second of a service, of a client address, and of a user of this machine.

use crate::fixture::{Client, DEADLINE, Host, Sender, guest};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

fn reached(host: &Host, limit: &str) -> u64 {
    host.status()["limits_reached"][limit].as_u64().unwrap()
}

/// At this rate, all but the first few messages of a test would wait longer than its deadline.
const SLOW: &str = "2";

#[test]
fn messages_of_a_service_wait_in_turn() {
    let rate = ["--max-messages-per-second", "20", "--framing", "lines"];
    let host = Host::serve(&[&rate[..], &[&guest("reverse")]].concat());
    let mut clients: Vec<_> = (0..3).map(|_| host.connect()).collect();
    let begun = Instant::now();
    for client in &mut clients {
        client.send("ab\n".repeat(20));
        client.finish();
    }
    for client in &mut clients {
        assert_eq!(client.rest(), "ba\n".repeat(20).into_bytes());
    }
    // 20 are available at once, and 40 follow at 20 per second. No upper bound: machines are slow
    // at times.
    assert!(begun.elapsed() >= Duration::from_millis(1900));
    assert!(reached(&host, "max-messages-per-second") > 0);
    assert_eq!(reached(&host, "max-messages-per-second-per-ip"), 0);
}

#[test]
fn an_address_that_has_used_up_its_rate_keeps_no_other_waiting() {
    let rate = [
        "--max-messages-per-second-per-ip",
        "1",
        "--framing",
        "lines",
    ];
    let host = Host::serve(&[&rate[..], &[&guest("reverse")]].concat());
    let mut greedy = host.connect();
    greedy.send("ab\n".repeat(2000));
    greedy.expect("ba\n");
    let mut other = Client::connect_from("127.0.0.2", host.address());
    assert_eq!(other.ask("hello"), "olleh");
    let mut same = Client::connect_from("127.0.0.1", host.address());
    same.send("late\n");
    same.stream
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    assert!(
        same.stream.read(&mut [0]).is_err(),
        "its address has used up its rate"
    );
    assert!(reached(&host, "max-messages-per-second-per-ip") > 0);
}

#[test]
fn a_stream_is_not_read_from_beyond_its_rate() {
    let host = Host::serve(&["--max-bytes-per-second", "64KiB", "--idle-timeout", "1s"]);
    let mut client = host.connect();
    let sent = vec![b'x'; 256 << 10];
    let begun = Instant::now();
    let mut writer = client.stream.try_clone().unwrap();
    let writing = std::thread::spawn(move || {
        writer.write_all(&sent).unwrap();
        writer.shutdown(std::net::Shutdown::Write).unwrap();
    });
    // Everything arrives, and no wait was unnecessary.
    assert_eq!(client.rest().len(), 256 << 10);
    writing.join().unwrap();
    assert!(
        begun.elapsed() >= Duration::from_millis(1800),
        "{:?}",
        begun.elapsed()
    );
    assert!(reached(&host, "max-bytes-per-second") > 0);
}

/// What is no text for the handler counts, too.
#[test]
fn commands_of_telnet_are_read_no_faster() {
    for handler in ["echo", &guest("wordcount")] {
        let rate = ["--max-bytes-per-second", "64KiB", "--listen"];
        let host = Host::serve(&[&rate[..], &["telnet://127.0.0.1:0", handler]].concat());
        let mut client = host.connect();
        let begun = Instant::now();
        // IAC NOP
        client.send(b"\xff\xf1".repeat(128 << 10));
        client.finish();
        client.rest();
        assert!(
            begun.elapsed() >= Duration::from_millis(1800),
            "{:?}",
            begun.elapsed()
        );
        assert!(reached(&host, "max-bytes-per-second") > 0);
        host.wait_for_log("received_bytes=262144");
    }
}

#[test]
fn programs_are_fed_no_faster() {
    let rate = ["--max-bytes-per-second-per-ip", "32KiB"];
    let host = Host::serve(&[&rate[..], &[&guest("wordcount")]].concat());
    let mut client = host.connect();
    let begun = Instant::now();
    client.send("word ".repeat(20_000));
    client.finish();
    let said = String::from_utf8(client.rest()).unwrap();
    assert!(said.contains("20000"), "{said}");
    // The first read returns at once, whatever its size.
    assert!(
        begun.elapsed() >= Duration::from_millis(800),
        "{:?}",
        begun.elapsed()
    );
    assert!(reached(&host, "max-bytes-per-second-per-ip") > 0);
}

#[test]
fn new_connections_wait_for_the_service_and_are_refused_by_the_address() {
    let host = Host::serve(&["--max-new-connections-per-second", "5"]);
    let begun = Instant::now();
    let mut clients: Vec<_> = (0..15).map(|_| host.connect()).collect();
    for client in &mut clients {
        client.send("hello");
        client.expect("hello");
    }
    assert!(begun.elapsed() >= Duration::from_millis(1900));
    assert!(reached(&host, "max-new-connections-per-second") > 0);

    let host = Host::serve(&["--max-new-connections-per-second-per-ip", SLOW]);
    let served = (0..30).filter(|_| {
        let mut client = host.connect();
        client.stream.write_all(b"x").is_ok() && client.is_served()
    });
    assert!((2..25).contains(&served.count()));
    host.wait_for_log(
        "connection rate of a client reached (--max-new-connections-per-second-per-ip)",
    );
    let mut other = Client::connect_from("127.0.0.2", host.address());
    other.send("x");
    assert!(other.is_served());
    assert!(host.status()["turned_away"].as_u64().unwrap() > 0);
}

/// The options that limit a rate, each with the limit that is counted.
const RATES: [(&str, &str); 6] = [
    ("--max-messages-per-second", "max-messages-per-second"),
    (
        "--max-messages-per-second-per-ip",
        "max-messages-per-second-per-ip",
    ),
    ("--max-bytes-per-second", "max-bytes-per-second"),
    (
        "--max-bytes-per-second-per-ip",
        "max-bytes-per-second-per-ip",
    ),
    (
        "--max-new-connections-per-second",
        "max-new-connections-per-second",
    ),
    (
        "--max-new-connections-per-second-per-ip",
        "max-new-connections-per-second-per-ip",
    ),
];

#[test]
fn datagrams_beyond_a_rate_are_dropped() {
    for (rate, limit) in RATES {
        let host = Host::serve(&["--listen", "udp://127.0.0.1:0", rate, "3"]);
        let sender = Sender::to(host.address());
        assert_eq!(sender.ask("one"), "one");
        let deadline = Instant::now() + DEADLINE;
        while host.status()["dropped_datagrams"]["rate"] == 0 {
            assert!(Instant::now() < deadline, "{rate}");
            for _ in 0..20 {
                Sender::to(host.address()).send("x");
            }
        }
        assert!(reached(&host, limit) > 0, "{rate}");
    }
}

#[test]
fn datagrams_use_up_no_rate_of_connections() {
    for (rate, limit) in RATES {
        let listeners = [
            "--listen",
            "tcp://127.0.0.1:0",
            "--listen",
            "udp://127.0.0.1:0",
        ];
        let host = Host::serve(&[&listeners[..], &[rate, "3"]].concat());
        let [tcp, udp] = host.addresses()[..] else {
            panic!("{:?}", host.uris());
        };
        let count = |part: &str, what: &str| host.status()[part][what].as_u64().unwrap();
        let dropped = || count("dropped_datagrams", "rate");
        let deadline = Instant::now() + DEADLINE;
        let mut sent = 0;
        while dropped() == 0 || count("connections", "total") + dropped() < sent {
            assert!(Instant::now() < deadline, "{rate}");
            if dropped() == 0 {
                (0..20).for_each(|_| Sender::to(udp).send("x"));
                sent += 20;
            }
        }
        let before = reached(&host, limit);
        // The senders have used up their rates, and the client's address with them.
        let mut client = Client::connect(tcp);
        client.send("xyz");
        client.expect("xyz");
        assert_eq!(reached(&host, limit), before, "{rate}");
    }
}

#[test]
fn a_proxys_clients_have_rates_of_their_own() {
    let host = Host::serve(&[
        "--proxy-from",
        "127.0.0.0/8",
        "--max-new-connections-per-second-per-ip",
        "1",
    ]);
    let comes = |address: &str| {
        let mut client = host.connect();
        client.send(format!("PROXY TCP4 {address} 198.51.100.1 4711 8888\r\nx"));
        client.is_served()
    };
    for last in 1..10 {
        assert!(comes(&format!("192.0.2.{last}")), "{last}");
    }
    assert!((0..50).any(|_| !comes("192.0.2.1")));
}

#[test]
fn a_user_has_a_share_of_the_connections() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("echo.sock");
    let uri = format!("unix:{}", path.display());
    let listen = ["--listen", &uri, "--listen", "tcp://127.0.0.1:0"];
    let host = Host::serve(&[&["--max-connections-per-uid", "2"], &listen[..]].concat());
    let connect = || {
        let mut client = UnixStream::connect(&path).unwrap();
        client.set_read_timeout(Some(DEADLINE)).unwrap();
        // A client that was already closed may notice here.
        let _ = client.write_all(b"x");
        let served = matches!(client.read(&mut [0]), Ok(1));
        (client, served)
    };
    let (first, _second) = (connect(), connect());
    assert!(first.1 && _second.1);
    assert!(!connect().1);
    host.wait_for_log("connection limit of a user reached (--max-connections-per-uid)");
    assert_eq!(reached(&host, "max-connections-per-uid"), 1);
    // TCP clients do not count for that user.
    let mut client = host.connect();
    client.send("hello");
    client.expect("hello");
    drop(first);
    // Its share is released at about this moment.
    let deadline = Instant::now() + DEADLINE;
    while !connect().1 {
        assert!(Instant::now() < deadline);
    }
}
