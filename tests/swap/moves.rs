//! Open connections in a swap.

use super::post::{Folder, Post};
use super::versions::{counter, signer};
use crate::fixture::{Client, Host, echo_host, guest, warnings};
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
                // Some have sent nothing in this generation, or nothing at all.
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
        .wait_for_log("stays with generation 1: its session saved nothing");
    assert_eq!(client.ask("say still here"), "still here");
    assert_eq!(post.host.connect().ask("x"), "v2 1 x");
    let status = post.status();
    assert_eq!(status["generations"][1]["connections"], 1);

    // It saves state that the next one cannot read.
    let post = Post::serve(fs::read(guest("calc")).unwrap(), &same_limit);
    let mut client = post.host.connect();
    client.expect("Type an expression, help or quit.\n> ");
    client.send("6 * 7\n");
    client.expect("42\n> ");
    post.swap_to(counter("v2"));
    post.host.wait_for_log(
        "the new version did not open the session: the handler failed: the saved state is not a counter's",
    );
    post.host
        .wait_for_log("stays with generation 1: the new version did not open it");
    client.send("ans / 2\n");
    client.expect("21\n> ");
    assert_eq!(post.host.connect().ask("x"), "v2 1 x");
    // The same client gets another chance at the next swap.
    post.swap(&guest("calc")).unwrap();
    client.send("ans / 3\n");
    client.expect("7\n> ");
    post.wait_until("carried over", |status| {
        status["generations"][0]["connections"] == 1
    });
}

#[test]
fn a_swap_tells_what_became_of_open_connections() {
    let puppet = fs::read(guest("puppet")).unwrap();
    let post = Post::serve(counter("v1"), &["--swap", "migrate"]);
    let mut clients: Vec<_> = (0..3).map(|_| post.host.connect()).collect();
    for client in &mut clients {
        assert_eq!(client.ask("a"), "v1 1 a");
    }
    let swap = |content: &[u8], expected: &str| {
        let path = post.folder.put("next", content);
        let swapped = post.run(&["swap", &path]);
        assert_eq!(swapped.code, Some(0), "{swapped:?}");
        let line = swapped.stdout.lines().last().unwrap();
        assert!(line.ends_with(expected), "{swapped:?}");
        post.host.wait_for_log(line);
        let status = post.run(&["status"]).stdout;
        let (_, last) = status.split_once("last swap").unwrap();
        assert!(last.lines().next().unwrap().ends_with(line), "{status}");
    };
    swap(&counter("v2"), "generation 2: 3 connections migrated");
    clients.pop();
    post.wait_until("two", |status| status["connections"]["open"] == 2);
    // The puppet takes any session, and saves none.
    swap(&puppet, "generation 3: 2 connections migrated");
    let stay = "2 connections stayed: their sessions saved nothing";
    swap(&counter("v4"), &format!("generation 4: {stay}"));
    assert_eq!(post.host.connect().ask("a"), "v4 1 a");
    let mut newest = post.host.connect();
    assert_eq!(newest.ask("a"), "v4 1 a");
    post.wait_until("three", |status| status["connections"]["open"] == 3);
    let both = "1 connection migrated, 2 stayed: their sessions saved nothing";
    swap(&counter("v5"), &format!("generation 5: {both}"));
    let moved = &post.status()["versions"][4]["connections"];
    assert_eq!(
        (&moved["migrated"], &moved["stayed"]),
        (&1.into(), &2.into())
    );
}

#[test]
fn a_session_in_a_call_is_not_waited_for() {
    let options = ["--swap", "next-message", "--call-timeout", "1min"];
    let post = Post::serve(fs::read(guest("probe")).unwrap(), &options);
    let mut client = post.host.connect();
    client.send("sleep 30000\n");
    post.wait_until("in a call", |status| status["messages"] == 1);
    let path = post.folder.put("next", fs::read(guest("reverse")).unwrap());
    let swapped = post.run(&["swap", &path]);
    let undecided = "generation 2: 1 connection still in a call\n";
    assert!(swapped.stdout.ends_with(undecided), "{swapped:?}");
}

#[test]
fn sessions_move_to_a_version_with_other_limits_and_these_hold() {
    let folder = Folder::new();
    let file = |limit: &str| {
        format!(
            "[service.main]\nhandler = \"{}\"\nlisten = [\"tcp://127.0.0.1:0\"]\n\
             framing = \"lines\"\nswap = \"migrate\"\nmax-message = \"{limit}\"\n",
            guest("upper")
        )
    };
    let config = folder.put("echo-host.toml", file("1KiB"));
    let socket = folder.path("host.sock");
    let host = Host::serve(&["--config", &config, "--control", &socket]);
    let mut client = host.connect();
    client.send(format!("{}\n", "x".repeat(1000)));
    client.expect("X".repeat(1000));
    folder.put("echo-host.toml", file("100B"));
    let reloaded = echo_host(&["reload", "--control", &socket]);
    assert_eq!(reloaded.code, Some(0), "{reloaded:?}");
    assert!(
        reloaded.stdout.contains("1 connection migrated"),
        "{reloaded:?}"
    );
    client.send("abc\n");
    client.expect("ABC");
    client.send(format!("{}\n", "x".repeat(1000)));
    client.expect_closed();
    host.wait_for_log("a message is longer than the limit of 100 bytes");
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
        // Half a message belongs to the generation that is current when it is complete.
        client.send("b");
        let mut silent = post.host.connect();
        post.wait_until("connected", |status| status["connections"]["open"] == 2);
        post.swap_to(signer("v2"));
        let version = if moves { "v2" } else { "v1" };
        assert_eq!(client.ask("c"), format!("{version} bc"));
        // A client that had sent nothing loses nothing.
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
    // Another one may stay as long as it likes.
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
