//! Faults in a conversation, in every callback.

use super::scene::Scene;
use crate::fixture::{Client, DEADLINE};
use rustix::process::Signal;
use std::time::Instant;

const LIMITS: [&str; 4] = ["--call-timeout", "300ms", "--max-memory", "16MiB"];

/// The fault, and the log line it causes.
const FAULTS: [(&str, &str); 4] = [
    (
        "panic on purpose",
        "the handler trapped: wasm `unreachable` instruction executed",
    ),
    (
        "spin",
        "the handler took longer than 300ms (--call-timeout)",
    ),
    (
        "hang",
        "the handler took longer than 300ms (--call-timeout)",
    ),
    (
        "hoard",
        "the handler ran out of its 16777216 bytes of memory (--max-memory)",
    ),
];

/// Brings a greeted client's session to a point.
fn bring_to(point: &str, client: &mut Client) {
    match point {
        "message" => client.send("hello\n"),
        "eof" => client.finish(),
        "timer" | "writable" => {
            client.send("go on\n");
        }
        _ => unreachable!("{point}"),
    }
}

/// Before it reaches one of these points, a session has to do something in `on-message`.
fn prepare(scene: &Scene, point: &str) {
    match point {
        "timer" => scene.order("message", "timers 1"),
        // More than buffers hold, so that it is congested until the client reads.
        "writable" => scene.order("message", "flood 900000"),
        _ => {}
    }
}

#[test]
fn in_connection_isolation_only_its_own_connection_notices() {
    let scene = Scene::of_saboteur(&LIMITS);
    let mut neighbour = scene.greeted();
    for point in [
        "start", "open", "message", "eof", "timer", "writable", "drop",
    ] {
        for (fault, reason) in FAULTS {
            let client = go_wrong(&scene, point, fault);
            assert_eq!(neighbour.ask("during"), "during");
            scene.expect_reason(&client, reason);
            assert_eq!(neighbour.ask("after"), "after");
        }
    }
    scene.expect_nothing_left(1, 1);
    drop(neighbour);
    scene.expect_nothing_left(0, 0);
}

/// All sessions end with the instance, and the next client gets a fresh one.
#[test]
fn in_shared_isolation_the_next_client_gets_a_fresh_instance() {
    for point in [
        "start", "open", "message", "eof", "timer", "writable", "drop",
    ] {
        let scene = Scene::of_saboteur(&[&["--isolation", "shared"], &LIMITS[..]].concat());
        for (fault, reason) in FAULTS {
            // The instance is created for the first session.
            let neighbour = (point != "start").then(|| scene.greeted());
            let client = go_wrong(&scene, point, fault);
            if let Some(mut neighbour) = neighbour {
                neighbour.expect_closed();
                scene.expect_reason(&neighbour, reason);
            }
            if point != "drop" {
                scene.expect_reason(&client, reason);
            }
            let mut next = scene.greeted();
            assert_eq!(next.ask("after"), "after");
            next.finish();
            next.expect_closed();
            scene.order("message", "unreachable");
            let mut last = scene.greeted();
            last.send("!\n");
            last.expect_closed();
        }
        scene.expect_nothing_left(0, 0);
    }
}

/// Makes a client's session fail, and waits until its connection has ended.
fn go_wrong(scene: &Scene, point: &str, fault: &str) -> Client {
    if let "start" | "open" = point {
        scene.order(point, fault);
        let mut client = scene.connect();
        client.expect_closed();
        return client;
    }
    let mut client = scene.greeted();
    prepare(scene, point);
    scene.order(point, fault);
    if point == "drop" {
        client.finish();
    } else {
        bring_to(point, &mut client);
    }
    // Bytes sent before the fault may arrive.
    let _ = std::io::Read::read_to_end(&mut client.stream, &mut Vec::new());
    client
}

#[test]
fn a_stop_waits_for_no_endless_goodbye() {
    for isolation in ["connection", "shared"] {
        for point in ["shutdown", "drop"] {
            for (fault, reason) in [FAULTS[1], FAULTS[2]] {
                let args = ["--isolation", isolation, "--drain-timeout", "1h"];
                let mut scene = Scene::of_saboteur(&[&args, &LIMITS[..]].concat());
                let mut client = scene.greeted();
                scene.order(point, fault);
                scene.post.host.process.signal(Signal::TERM);
                client.expect_closed();
                assert_eq!(scene.post.host.process.wait().code(), Some(0));
                let log = scene.post.host.process.stderr.text();
                assert!(log.contains(reason), "{log}");
            }
        }
    }
}

#[test]
fn a_million_tiny_sends_are_one_large_one() {
    let scene = Scene::of_saboteur(&["--call-timeout", "60s"]);
    let mut client = scene.greeted();
    scene.order("message", "sends 1000000");
    client.send("go\n");
    client.expect("x".repeat(1_000_000) + "go\n");
}

#[test]
fn what_one_callback_may_ask_for_is_bounded() {
    let args = [
        "--call-timeout",
        "60s",
        "--max-memory",
        "256MiB",
        "--max-unsent",
        "1GiB",
    ];
    for isolation in ["connection", "shared"] {
        let scene = Scene::of_saboteur(&[&["--isolation", isolation], &args[..]].concat());
        for (order, reason) in [
            (
                "framings 100001",
                "one callback made more than 100000 requests",
            ),
            (
                "floods 8000000",
                "one callback sent more than 67108864 bytes",
            ),
            (
                "flood 8388609",
                "it passed more than 8388608 bytes in one call",
            ),
            ("sessions", "it holds more than 100000 handles"),
            ("pollables", "it holds more than 100000 handles"),
            ("forge 7", "the handler trapped: unknown handle index 7"),
            ("timers 1025", "the session has more than 1024 timers"),
        ] {
            let mut client = scene.greeted();
            scene.order("message", order);
            client.send("go\n");
            scene.expect_failure(client, reason);
        }
        let mut client = scene.greeted();
        scene.order("message", "timers 1024");
        assert_eq!(
            client.ask("as many as there may be"),
            "as many as there may be"
        );
        drop(client);
        scene.expect_nothing_left(0, usize::from(isolation == "shared"));
    }
}

/// A session that has ended may have left its connection's handle to another one.
#[test]
fn what_is_sent_to_a_connection_that_is_gone_is_forgotten() {
    let args = [
        "--isolation",
        "shared",
        "--call-timeout",
        "60s",
        "--max-unsent",
        "1GiB",
    ];
    let scene = Scene::of_saboteur(&args);
    let mut survivor = scene.greeted();
    let mut client = scene.greeted();
    scene.order("drop", "keep");
    client.finish();
    client.expect_closed();
    scene.expect_nothing_left(1, 1);
    for _ in 0..60 {
        scene.order("message", "haunt 8000000");
        assert_eq!(survivor.ask("still here"), "still here");
    }
    // The allocator returns memory some time later.
    let deadline = Instant::now() + DEADLINE;
    loop {
        let resident = scene.post.usage().resident_kib;
        if resident < 300 << 10 {
            break;
        }
        let left = "KiB of half a gigabyte";
        assert!(Instant::now() < deadline, "{resident} {left}");
        assert_eq!(survivor.ask("still here"), "still here");
    }
}
