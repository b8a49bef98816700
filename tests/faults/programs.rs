//! Plain programs that fail.

use super::scene::Scene;

/// The fault that a line causes, and the log line about it.
const FAULTS: [(&str, &str); 12] = [
    (
        "panic on purpose",
        "the handler trapped: wasm `unreachable` instruction executed",
    ),
    ("panic on purpose", "guest: on purpose"),
    (
        "unreachable",
        "the handler trapped: wasm `unreachable` instruction executed",
    ),
    (
        "outside",
        "the handler trapped: out of bounds memory access",
    ),
    ("recurse", "the handler trapped: "),
    (
        "spin",
        "the handler took longer than 500ms (--call-timeout)",
    ),
    (
        "flood",
        "the handler took longer than 500ms (--call-timeout)",
    ),
    ("hang", "no byte moved for 3s (--idle-timeout)"),
    ("stdin", "no byte moved for 3s (--idle-timeout)"),
    (
        "hoard",
        "the handler ran out of its 16777216 bytes of memory (--max-memory)",
    ),
    (
        "pollables",
        "the handler ran out of its 16777216 bytes of memory (--max-memory): no memory for the data behind",
    ),
    (
        "random 1073741824",
        "exceeded a limit: it asked for more than 1048576 random bytes in one call",
    ),
];

#[test]
fn only_its_own_connection_notices() {
    let limits = [
        "--call-timeout",
        "500ms",
        "--max-memory",
        "16MiB",
        "--idle-timeout",
        "3s",
    ];
    let scene = Scene::of("rogue", &limits);
    for (misdeed, reason) in FAULTS {
        let mut neighbour = scene.connect();
        assert_eq!(neighbour.ask("random 3"), "3");
        let mut client = scene.connect();
        client.send(format!("{misdeed}\n"));
        assert_eq!(neighbour.ask("random 4"), "4");
        scene.expect_failure(client, reason);
        let mut next = scene.connect();
        assert_eq!(next.ask("random 5"), "5");
    }
    scene.expect_nothing_left(0, 0);
    scene.expect_no_threads();
}

#[test]
fn an_exit_is_no_fault() {
    let scene = Scene::of("rogue", &[]);
    let mut client = scene.connect();
    client.send("exit 1\n");
    scene.expect_failure(client, "the program exited with an error");
    assert_eq!(scene.post.status()["failed_calls"], 0);
    scene.expect_nothing_left(0, 0);
}
