//! Faults in `respond`.

use super::scene::Scene;

/// The fault that a line causes, and the log line about it.
const FAULTS: [(&str, &str); 15] = [
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
        "hang",
        "the handler took longer than 500ms (--call-timeout)",
    ),
    (
        "sleep 60000",
        "the handler took longer than 500ms (--call-timeout)",
    ),
    (
        "flood",
        "the handler took longer than 500ms (--call-timeout)",
    ),
    ("flood", "lines dropped"),
    ("exit 0", "the handler called exit(0)"),
    (
        "hoard",
        "the handler ran out of its 16777216 bytes of memory (--max-memory)",
    ),
    (
        "reply 17000000",
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

/// A neighbour is served before, during and after each fault.
fn only_its_own_connection_notices(isolation: &str) {
    let limits = ["--call-timeout", "500ms", "--max-memory", "16MiB"];
    let scene = Scene::of(
        "probe",
        &[&["--isolation", isolation], &limits[..]].concat(),
    );
    let mut neighbour = scene.connect();
    for (misdeed, reason) in FAULTS {
        assert_eq!(neighbour.ask("reply 3"), "xxx");
        let mut client = scene.connect();
        client.send(format!("{misdeed}\n"));
        assert_eq!(neighbour.ask("reply 4"), "xxxx");
        scene.expect_failure(client, reason);
        assert_eq!(neighbour.ask("reply 5"), "xxxxx");
    }
    // With shared isolation there is one instance; with message isolation, none between two
    // messages.
    scene.expect_nothing_left(1, usize::from(isolation != "message"));
    drop(neighbour);
    scene.expect_nothing_left(0, usize::from(isolation == "shared"));
    scene.expect_no_threads();
    assert_eq!(scene.post.status()["failed_calls"], FAULTS.len());
}

#[test]
fn in_connection_isolation_only_its_own_connection_notices() {
    only_its_own_connection_notices("connection");
}

#[test]
fn in_shared_isolation_only_its_own_connection_notices() {
    only_its_own_connection_notices("shared");
}

#[test]
fn in_message_isolation_only_its_own_connection_notices() {
    only_its_own_connection_notices("message");
}

#[test]
fn a_reply_is_capped_however_much_memory_there_is() {
    let scene = Scene::of("probe", &["--max-memory", "1GiB", "--call-timeout", "60s"]);
    let mut client = scene.connect();
    client.send("reply 67108864\n");
    client.expect_closed();
    // The line ending exceeds the limit by one.
    scene.expect_reason(&client, "it passed more than 67108864 bytes in one call");
    let mut client = scene.connect();
    client.send("reply 67108863\n");
    client.finish();
    assert_eq!(client.rest().len(), 67_108_864);
}

#[test]
fn standard_input_is_at_its_end() {
    let scene = Scene::of("probe", &[]);
    assert_eq!(scene.connect().ask("stdin"), "0");
}

/// A fault that a guest has survived is not reported as the cause of a later one.
#[test]
fn a_trap_is_not_blamed_on_memory_that_was_refused_long_ago() {
    let scene = Scene::of("probe", &["--max-memory", "16MiB"]);
    let mut client = scene.connect();
    assert_eq!(client.ask("try 17000000"), "refused");
    client.send("unreachable\n");
    scene.expect_failure(
        client,
        "the handler trapped: wasm `unreachable` instruction executed",
    );
}
