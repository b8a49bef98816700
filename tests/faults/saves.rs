//! Faults while a session moves to another version of its handler.

use super::scene::Scene;
use crate::fixture::guest;
use std::fs;

/// The saboteur as another version: with a custom section without meaning.
fn next_version() -> Vec<u8> {
    let mut component = fs::read(guest("saboteur")).unwrap();
    component.extend([0, 2, 1, b'v']);
    component
}

fn scene(isolation: &str, args: &[&str]) -> Scene {
    let migrate = ["--swap", "migrate", "--isolation", isolation];
    Scene::of_saboteur(&[&migrate, args].concat())
}

#[test]
fn a_session_that_saves_within_the_limit_is_carried_over() {
    for isolation in ["connection", "shared"] {
        let scene = scene(isolation, &["--call-timeout", "60s"]);
        let mut client = scene.greeted();
        scene.order("save", "bytes 16777216");
        scene.post.swap_to(next_version());
        client.expect("back\n");
        assert_eq!(client.ask("here"), "here");
    }
}

#[test]
fn a_session_that_saves_too_much_stays_where_it_is() {
    for isolation in ["connection", "shared"] {
        let scene = scene(isolation, &["--call-timeout", "60s"]);
        let mut client = scene.greeted();
        scene.order("save", "bytes 16777217");
        scene.post.swap_to(next_version());
        scene.expect_reason(
            &client,
            "stays with generation 1: the saved state has 16777217 bytes, more than the limit of 16777216",
        );
        assert_eq!(client.ask("here"), "here");
    }
}

#[test]
fn a_save_of_a_gibibyte_is_not_even_copied() {
    let limits = ["--max-memory", "2GiB", "--call-timeout", "100s"];
    for isolation in ["connection", "shared"] {
        let scene = scene(isolation, &limits);
        let mut client = scene.greeted();
        scene.order("save", "bytes 1073741824");
        scene.post.swap_to(next_version());
        client.expect_closed();
        scene.expect_reason(&client, "it passed more than 67108864 bytes in one call");
        scene.greeted();
    }
}

#[test]
fn a_save_that_fails_ends_its_own_connection_and_holds_up_nothing() {
    for (fault, reason) in [
        ("panic", "the handler trapped"),
        (
            "spin",
            "the handler took longer than 300ms (--call-timeout)",
        ),
        (
            "hang",
            "the handler took longer than 300ms (--call-timeout)",
        ),
    ] {
        let scene = scene("connection", &["--call-timeout", "300ms"]);
        let mut client = scene.greeted();
        scene.order("save", fault);
        scene.post.swap_to(next_version());
        scene.greeted();
        client.expect_closed();
        scene.expect_reason(&client, reason);
    }
}

/// State left behind does not stop sessions that have moved.
#[test]
fn an_endless_destructor_of_the_old_version_holds_up_no_other_session() {
    let scene = scene("connection", &["--call-timeout", "300ms"]);
    let mut client = scene.greeted();
    scene.order("drop", "spin");
    scene.post.swap_to(next_version());
    client.expect("back\n");
    scene.expect_reason(
        &client,
        "while its session was dropped: the handler took longer than 300ms",
    );
    assert_eq!(client.ask("here"), "here");
}
