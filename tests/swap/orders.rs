//! Ways to swap the handler: the file, a signal, a command.

use super::post::{Folder, Post};
use super::versions::{counter, signer};
use rustix::process::Signal;
use std::fs::{self, OpenOptions};
use std::io::Write;

const LINES: [&str; 2] = ["--framing", "lines"];
const WATCHED: [&str; 3] = ["--framing", "lines", "--watch"];

/// The greeting of a new client.
fn greet(post: &Post) -> String {
    post.host.connect().ask("hello")
}

#[test]
fn a_watched_file_may_be_written_in_any_way() {
    let post = Post::serve(signer("v1"), &WATCHED);
    let path = post.folder.path("handler");
    assert_eq!(greet(&post), "v1 hello");

    post.put(signer("v2"));
    post.wait_for_generation(2);
    assert_eq!(greet(&post), "v2 hello");

    fs::write(&path, signer("v3")).unwrap();
    post.wait_for_generation(3);
    assert_eq!(greet(&post), "v3 hello");

    // Like a linker. If the machine is so slow that the file looks complete too early, that version
    // is refused, and the next write is the next chance.
    let mut file = OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(&path)
        .unwrap();
    for piece in signer("v4").chunks(100) {
        file.write_all(piece).unwrap();
    }
    drop(file);
    post.wait_for_generation(4);
    assert_eq!(greet(&post), "v4 hello");

    fs::remove_file(&path).unwrap();
    post.host.wait_for_log("swap refused");
    assert_eq!(greet(&post), "v4 hello");
    fs::write(&path, signer("v5")).unwrap();
    post.wait_for_generation(5);
    assert_eq!(greet(&post), "v5 hello");
}

#[test]
fn a_command_and_then_the_file_it_named_is_watched() {
    let post = Post::serve(signer("v1"), &WATCHED);
    let other = post.folder.put("other", signer("v2"));
    assert_eq!(post.run(&["swap", &other]).code, Some(0));
    assert_eq!(greet(&post), "v2 hello");
    // Nobody watches the first one any more.
    post.put(signer("v0"));
    post.folder.put("other", signer("v3"));
    post.wait_for_generation(3);
    assert_eq!(greet(&post), "v3 hello");
}

#[test]
fn a_change_during_another_swap_is_not_forgotten() {
    let post = Post::serve(signer("v1"), &WATCHED);
    post.put(signer("v2"));
    post.wait_for_generation(2);
    // The file is written, and the host goes back before the file has been stable for long enough:
    // the version it goes back to came from the same file.
    post.put(signer("v3"));
    assert_eq!(post.roll_back(), 1);
    post.wait_for_generation(3);
    assert_eq!(greet(&post), "v3 hello");
}

#[test]
fn a_watched_folder_may_vanish() {
    let folder = Folder::new();
    fs::create_dir(folder.path("gone")).unwrap();
    let handler = folder.put("gone/handler", signer("v1"));
    folder.put("handler", signer("v0"));
    let post = Post::serve_from(folder, &WATCHED);
    assert_eq!(post.swap(&handler), Ok(2));
    fs::remove_dir_all(post.folder.path("gone")).unwrap();
    assert_eq!(greet(&post), "v1 hello");
    assert_eq!(post.run(&["swap"]).code, Some(65));
    // A file elsewhere is watched as before.
    let other = post.folder.put("other", signer("v2"));
    assert_eq!(post.swap(&other), Ok(3));
    assert_eq!(greet(&post), "v2 hello");
}

#[test]
fn a_hangup_reads_the_file_again() {
    let post = Post::serve(counter("v1"), &[]);
    let mut client = post.host.connect();
    assert_eq!(client.ask("a"), "v1 1 a");
    post.host.process.signal(Signal::HUP);
    post.host.wait_for_log("is already being served");
    post.put(counter("v2"));
    post.host.process.signal(Signal::HUP);
    post.host.wait_for_log("generation 2 replaces generation 1");
    assert_eq!(greet(&post), "v2 1 hello");
    // The default: open connections stay.
    assert_eq!(client.ask("b"), "v1 2 b");
    let status = post.status();
    assert_eq!(status["generations"][0]["state"], "current");
    assert_eq!(status["generations"][1]["state"], "previous");
    assert_eq!(status["generations"][1]["connections"], 1);
    assert_eq!(status["refused_swaps"], 0);
}

#[test]
fn a_storm_of_hangups_loses_nothing() {
    let post = Post::serve(counter("v0"), &["--swap", "migrate"]);
    let mut client = post.host.connect();
    for number in 1..=100 {
        post.put(counter(&format!("v{number}")));
        post.host.process.signal(Signal::HUP);
        let reply = client.ask("x");
        let expected = format!(" {number} x");
        assert!(reply.ends_with(&expected), "{reply}");
    }
    // Several may have been merged, but the last one is read.
    let last = |client: &mut crate::fixture::Client| client.ask("y").starts_with("v100 ");
    post.wait_until("the last version", |_| last(&mut post.host.connect()));
    assert!(last(&mut client));
    assert_eq!(post.status()["refused_swaps"], 0);
}

#[test]
fn a_command_swaps_and_goes_back_once() {
    let post = Post::serve(signer("v1"), &LINES);
    let other = post.folder.put("other", signer("v2"));
    let swapped = post.run(&["swap", &other]);
    assert_eq!(swapped.code, Some(0), "{swapped:?}");
    assert!(swapped.stdout.starts_with("generation 2 (sha256 "));
    assert!(
        swapped
            .stdout
            .ends_with(") replaced generation 1\ngeneration 2: no connection had to move\n"),
        "{swapped:?}"
    );
    assert_eq!(greet(&post), "v2 hello");

    let unchanged = post.run(&["swap"]);
    assert_eq!(unchanged.code, Some(0), "{unchanged:?}");
    assert!(unchanged.stdout.contains("generation 2 "), "{unchanged:?}");

    let back = post.run(&["swap", "--rollback"]);
    assert!(back.stdout.starts_with("generation 1 "), "{back:?}");
    assert_eq!(greet(&post), "v1 hello");
    let log = post.host.wait_for_log("chosen by the operator");
    assert!(log.contains("generation 1 replaces generation 2"), "{log}");
    let again = post.run(&["swap", "--rollback"]);
    assert_eq!(again.code, Some(65));
    assert!(again.stderr.contains("there is no previous generation"));
    // Numbers are not reused.
    assert_eq!(post.swap(&other), Ok(3));
}

#[test]
fn the_operator_goes_back_and_forward_in_the_history() {
    let post = Post::serve(signer("v1"), &LINES);
    for number in 2..=5 {
        assert_eq!(post.swap_to(signer(&format!("v{number}"))), number);
    }
    let go_to = |number: &str| post.run(&["swap", "--generation", number]);
    let refused = go_to("1");
    assert_eq!(refused.code, Some(65), "{refused:?}");
    let reason = "there is no generation 1 to go to; kept: 2, 3, 4, 5";
    assert!(refused.stderr.contains(reason), "{refused:?}");
    assert!(go_to("3").stdout.starts_with("generation 3 "));
    assert_eq!(greet(&post), "v3 hello");
    assert!(go_to("5").stdout.starts_with("generation 5 "));
    assert_eq!(greet(&post), "v5 hello");
    assert!(go_to("5").stdout.contains("is current already"));
    // Back to what was swapped out for it, not to where the operator looked meanwhile.
    assert_eq!(post.roll_back(), 4);
    assert_eq!(greet(&post), "v4 hello");
    let history = post.run(&["status", "--history"]).stdout;
    let rows: Vec<_> = history.lines().skip(1).collect();
    let numbers: Vec<_> = rows
        .iter()
        .map(|row| row.split(' ').next().unwrap())
        .collect();
    assert_eq!(
        numbers,
        ["1", "2", "3", "4", "5", "3", "5", "4"],
        "{history}"
    );
    assert!(
        rows[0].ends_with("replaced by a swap (no longer kept)"),
        "{history}"
    );
    assert!(rows[4].ends_with("chosen by the operator"), "{history}");
    assert!(rows[7].ends_with("is current"), "{history}");
}
