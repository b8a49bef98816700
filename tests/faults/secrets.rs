//! Data that one instance leaves in its memory is not visible to the next.

use super::scene::Scene;
use crate::fixture::Client;

/// Few slots, so that they are reused.
const ONE_SLOT: [&str; 4] = ["--max-connections", "1", "--call-timeout", "60s"];
const ROUNDS: u64 = 12;

fn number(client: &mut Client, line: &str) -> u64 {
    client.ask(line).parse().unwrap()
}

/// Fills an instance's memory with a secret.
fn plant(client: &mut Client, seed: u64) {
    let planted = number(client, &format!("plant {seed}"));
    assert!(planted > 500_000, "{planted} words");
}

fn expect_no_secret(client: &mut Client, seed: u64) {
    for seed in 0..=seed {
        assert_eq!(number(client, &format!("find {seed}")), 0, "of {seed}");
    }
}

/// The search that finds nothing in the tests below does find a secret that exists.
#[test]
fn who_shares_an_instance_finds_what_is_in_it() {
    let scene = Scene::of("probe", &["--isolation", "shared", "--call-timeout", "60s"]);
    plant(&mut scene.connect(), 1);
    assert!(number(&mut scene.connect(), "find 1") > 500_000);
    assert_eq!(number(&mut scene.connect(), "find 2"), 0);
}

#[test]
fn the_next_connection_does_not_find_it() {
    let scene = Scene::of("probe", &ONE_SLOT);
    for seed in 0..ROUNDS {
        let mut client = scene.connect();
        expect_no_secret(&mut client, seed);
        plant(&mut client, seed);
        // Whether it succeeds or fails.
        if seed % 2 == 0 {
            client.send("unreachable\n");
            client.expect_closed();
        }
    }
    expect_no_secret(&mut scene.connect(), ROUNDS);
}

/// Nothing is swapped out here.
#[test]
fn nor_if_only_written_pages_are_wiped() {
    let scene = Scene::of("probe", &[&["--wipe", "scan"], &ONE_SLOT[..]].concat());
    for seed in 0..ROUNDS {
        let mut client = scene.connect();
        expect_no_secret(&mut client, seed);
        plant(&mut client, seed);
    }
    expect_no_secret(&mut scene.connect(), ROUNDS);
}

#[test]
fn the_next_message_does_not_find_it() {
    let scene = Scene::of(
        "probe",
        &[&["--isolation", "message"], &ONE_SLOT[..]].concat(),
    );
    let mut client = scene.connect();
    for seed in 0..ROUNDS {
        expect_no_secret(&mut client, seed);
        plant(&mut client, seed);
    }
    expect_no_secret(&mut client, ROUNDS);
}

#[test]
fn the_instance_after_a_shared_one_that_trapped_does_not_find_it() {
    let scene = Scene::of(
        "probe",
        &[&["--isolation", "shared"], &ONE_SLOT[..]].concat(),
    );
    for seed in 0..ROUNDS {
        let mut client = scene.connect();
        expect_no_secret(&mut client, seed);
        plant(&mut client, seed);
        client.send("unreachable\n");
        client.expect_closed();
    }
    expect_no_secret(&mut scene.connect(), ROUNDS);
}

#[test]
fn the_next_program_does_not_find_it() {
    let scene = Scene::of("rogue", &ONE_SLOT);
    for seed in 0..ROUNDS {
        let mut client = scene.connect();
        expect_no_secret(&mut client, seed);
        plant(&mut client, seed);
    }
    expect_no_secret(&mut scene.connect(), ROUNDS);
}
