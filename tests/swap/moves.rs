//! What happens to open connections.

use super::post::Post;
use super::versions::{counter, signer};
use crate::fixture::{Client, guest, warnings};
use rustix::process::Signal;
use std::fs;

const MIGRATE: [&str; 2] = ["--swap", "migrate"];

#[test]
fn a_conversation_is_carried_over_with_its_count() {
    for isolation in ["connection", "shared"] {
        let post = Post::serve(
            counter("v0"),
            &["--swap", "migrate", "--isolation", isolation],
        );
        let mut clients: Vec<_> = (0..20).map(|_| post.host.connect()).collect();
        for number in 0..10 {
            for (index, client) in clients.iter_mut().enumerate() {
                // Some have said nothing in this generation, or nothing at all.
                if (number + index) % 3 > 0 {
                    continue;
                }
                let said = (0..=number).filter(|it| (it + index) % 3 == 0).count();
                assert_eq!(client.ask("x"), format!("v{number} {said} x"));
            }
            post.swap_to(counter(&format!("v{}", number + 1)));
        }
        post.wait_until("all in the newest", |status| {
            status["generations"][0]["connections"] == 20
        });
        for (index, client) in clients.iter_mut().enumerate() {
            let said = (0..10).filter(|number| (number + index) % 3 == 0).count();
            assert_eq!(client.ask("y"), format!("v10 {} y", said + 1));
        }
        assert_eq!(post.status()["generations"].as_array().unwrap().len(), 2);
        let log = post.host.process.stderr.text();
        assert!(warnings(&log).is_empty(), "{log}");
    }
}

#[test]
fn who_cannot_be_carried_over_stays() {
    let same_limit = [
        "--swap",
        "migrate",
        "--max-message",
        "1KiB",
        "--log-level",
        "debug",
    ];
    // It saves nothing.
    let post = Post::serve(fs::read(guest("puppet")).unwrap(), &same_limit);
    let mut client = post.host.connect();
    client.expect("ready\n");
    post.swap_to(counter("v2"));
    post.host
        .wait_for_log("stays with generation 1: the handler saved no state");
    assert_eq!(client.ask("say still here"), "still here");
    assert_eq!(post.host.connect().ask("x"), "v2 1 x");
    let status = post.status();
    assert_eq!(status["generations"][1]["connections"], 1);

    // It saves what the next one cannot read.
    let post = Post::serve(fs::read(guest("calc")).unwrap(), &same_limit);
    let mut client = post.host.connect();
    client.expect("Type an expression, help or quit.\n> ");
    client.send("6 * 7\n");
    client.expect("42\n> ");
    post.swap_to(counter("v2"));
    post.host.wait_for_log(
        "stays with generation 1: the handler failed: what was saved is not a counter's",
    );
    client.send("ans / 2\n");
    client.expect("21\n> ");
    assert_eq!(post.host.connect().ask("x"), "v2 1 x");
    // The same client has another chance at the next swap.
    post.swap(&guest("calc")).unwrap();
    client.send("ans / 3\n");
    client.expect("7\n> ");
    post.wait_until("carried over", |status| {
        status["generations"][0]["connections"] == 1
    });
}

#[test]
fn responders_go_on_between_two_messages() {
    for (swap, moves) in [
        ("new-connections", false),
        ("next-message", true),
        ("migrate", true),
    ] {
        let post = Post::serve(signer("v1"), &["--framing", "lines", "--swap", swap]);
        let mut client = post.host.connect();
        assert_eq!(client.ask("a"), "v1 a");
        // Half a message belongs to whoever is there when it is whole.
        client.send("b");
        let mut silent = post.host.connect();
        post.wait_until("connected", |status| status["connections"]["open"] == 2);
        post.swap_to(signer("v2"));
        let version = if moves { "v2" } else { "v1" };
        assert_eq!(client.ask("c"), format!("{version} bc"));
        // Who had said nothing loses nothing by a new one.
        assert_eq!(silent.ask("d"), "v2 d");
        assert_eq!(post.host.connect().ask("e"), "v2 e");
        drop((client, silent));
        post.wait_until("empty", |status| status["connections"]["open"] == 0);
    }
}

#[test]
fn conversations_stay_where_only_messages_move() {
    let post = Post::serve(counter("v1"), &["--swap", "next-message"]);
    let mut client = post.host.connect();
    assert_eq!(client.ask("a"), "v1 1 a");
    post.swap_to(counter("v2"));
    assert_eq!(client.ask("b"), "v1 2 b");
    assert_eq!(post.host.connect().ask("b"), "v2 1 b");
}

#[test]
fn nobody_stays_longer_than_the_drain_timeout() {
    let post = Post::serve(counter("v1"), &["--drain-timeout", "300ms"]);
    let (mut first, mut second) = (post.host.connect(), post.host.connect());
    assert_eq!(first.ask("a"), "v1 1 a");
    assert_eq!(second.ask("a"), "v1 1 a");
    post.swap_to(counter("v2"));
    let mut third = post.host.connect();
    assert_eq!(third.ask("a"), "v2 1 a");
    for client in [&mut first, &mut second] {
        client.expect("v1 goodbye after 1\n");
        client.expect_closed();
    }
    assert_eq!(third.ask("b"), "v2 2 b");

    let post = Post::serve(
        signer("v1"),
        &["--drain-timeout", "300ms", "--framing", "lines"],
    );
    let mut client = post.host.connect();
    assert_eq!(client.ask("a"), "v1 a");
    post.swap_to(signer("v2"));
    client.expect_closed();
    assert_eq!(post.host.connect().ask("b"), "v2 b");
}

#[test]
fn who_went_along_need_not_go() {
    let post = Post::serve(
        counter("v1"),
        &["--drain-timeout", "300ms", "--swap", "migrate"],
    );
    let mut client = post.host.connect();
    assert_eq!(client.ask("a"), "v1 1 a");
    post.swap_to(counter("v2"));
    assert_eq!(client.ask("b"), "v2 2 b");
    // Another stays behind, as long as it may.
    let post_of_puppet = Post::serve(
        fs::read(guest("puppet")).unwrap(),
        &["--drain-timeout", "300ms", "--swap", "migrate"],
    );
    let mut stays = post_of_puppet.host.connect();
    stays.expect("ready\n");
    post_of_puppet.swap_to(counter("v2"));
    stays.expect("goodbye\n");
    stays.expect_closed();
    assert_eq!(client.ask("c"), "v2 3 c");
}

#[test]
fn all_may_move_at_once_though_every_place_is_taken() {
    let full = ["--swap", "migrate", "--max-connections", "12"];
    let post = Post::serve(counter("v0"), &full);
    let mut clients: Vec<_> = (0..12).map(|_| post.host.connect()).collect();
    for number in 1..=20 {
        post.swap_to(counter(&format!("v{number}")));
        post.wait_until("moved", |status| {
            status["generations"][0]["connections"] == 12
        });
        for client in &mut clients {
            assert_eq!(client.ask("x"), format!("v{number} {number} x"));
        }
    }
}

#[test]
fn a_stop_right_behind_a_swap_is_still_a_goodbye() {
    for isolation in ["connection", "shared"] {
        let mut post = Post::serve(
            counter("v1"),
            &[&MIGRATE[..], &["--isolation", isolation]].concat(),
        );
        let mut clients: Vec<Client> = (0..50).map(|_| post.host.connect()).collect();
        for client in &mut clients {
            assert_eq!(client.ask("a"), "v1 1 a");
        }
        post.swap_to(counter("v2"));
        post.host.process.signal(Signal::TERM);
        for client in &mut clients {
            let goodbye = String::from_utf8(client.rest()).unwrap();
            assert!(
                ["v1 goodbye after 1\n", "v2 goodbye after 1\n"].contains(&goodbye.as_str()),
                "{goodbye:?}"
            );
        }
        assert_eq!(post.host.process.wait().code(), Some(0));
    }
}
