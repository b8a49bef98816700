//! What shares an instance, shown by a handler that counts the lines its instance received.

use crate::fixture::{Client, Host, guest};

fn serve(isolation: &[&str]) -> (Host, Client, Client) {
    let host = Host::serve(&[&[guest("probe").as_str()][..], isolation].concat());
    let (one, two) = (host.connect(), host.connect());
    (host, one, two)
}

fn counts(one: &mut Client, two: &mut Client) -> [String; 4] {
    [
        one.ask("count"),
        two.ask("count"),
        one.ask("count"),
        two.ask("count"),
    ]
}

#[test]
fn by_default_each_connection_has_its_own_instance() {
    for isolation in [&[][..], &["--isolation", "connection"]] {
        let (_host, mut one, mut two) = serve(isolation);
        assert_eq!(counts(&mut one, &mut two), ["1", "1", "2", "2"]);
    }
}

#[test]
fn a_shared_instance_serves_all_connections() {
    let (_host, mut one, mut two) = serve(&["--isolation", "shared"]);
    assert_eq!(counts(&mut one, &mut two), ["1", "2", "3", "4"]);
}

#[test]
fn each_message_may_have_its_own_instance() {
    let (_host, mut one, mut two) = serve(&["--isolation", "message"]);
    assert_eq!(counts(&mut one, &mut two), ["1", "1", "1", "1"]);
}

#[test]
fn a_trap_ends_one_connection_and_no_other() {
    for isolation in ["connection", "message", "shared"] {
        let (host, mut one, mut two) = serve(&["--isolation", isolation]);
        two.ask("count");
        one.send("count\npanic on purpose\ncount\n");
        one.expect(if isolation == "shared" { "2\n" } else { "1\n" });
        one.expect_closed();
        host.wait_for_log("on purpose");
        host.wait_for_log("the handler trapped: wasm `unreachable` instruction executed");
        // With connection isolation not even the count is lost; the shared instance is a fresh one.
        let expected = if isolation == "connection" { "2" } else { "1" };
        assert_eq!(two.ask("count"), expected, "{isolation}");
    }
}

#[test]
fn a_shared_instance_forgets_a_call_that_took_too_long() {
    let (host, mut one, mut two) = serve(&["--isolation", "shared", "--call-timeout", "1s"]);
    assert_eq!(two.ask("count"), "1");
    one.send("spin\n");
    one.expect_closed();
    host.wait_for_log("the handler took longer than 1s");
    assert_eq!(two.ask("count"), "1");
}
