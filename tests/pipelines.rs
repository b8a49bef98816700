//! Handlers in a chain.

use crate::fixture::{Host, echo_host, guest};
use crate::swap::post::{Folder, Post};
use crate::swap::versions::{signer, silent, trapping};
use std::fs;

const LINES: [&str; 2] = ["--framing", "lines"];

#[test]
fn the_reply_of_one_is_the_message_of_the_next() {
    let (upper, reverse, hello) = (guest("upper"), guest("reverse"), guest("hello"));
    for (handlers, expected) in [
        (&[&reverse, &upper][..], "OLLEH\n"),
        (&[&reverse, &reverse], "\nhello\n"),
        (&[&upper, &reverse], "OLLEH\n"),
        (&[&upper, &reverse, &hello], "Hello, client!\n"),
    ] {
        let mut arguments = vec![handlers[0].as_str()];
        for handler in &handlers[1..] {
            arguments.extend(["--then", handler]);
        }
        // Settings that the first one does not declare are given here.
        arguments.extend(LINES);
        for isolation in ["connection", "shared", "message"] {
            let host = Host::serve(&[&arguments[..], &["--isolation", isolation]].concat());
            let mut client = host.connect();
            for _ in 0..2 {
                client.send("hello\n");
                client.expect(expected);
            }
        }
    }
}

#[test]
fn what_one_takes_out_goes_no_further() {
    let folder = Folder::new();
    let silent = folder.put("silent.wasm", silent());
    let hello = guest("hello");
    let host = Host::serve(&[&[&silent, "--then", &hello], &LINES[..]].concat());
    let mut client = host.connect();
    client.send("hello\n");
    client.finish();
    assert_eq!(client.rest(), b"");
}

#[test]
fn a_stage_that_fails_ends_its_connection_only() {
    let folder = Folder::new();
    let trapping = folder.put("trapping.wasm", trapping());
    let probe = guest("probe");
    let host = Host::serve(&[&probe, "--then", &trapping]);
    let mut client = host.connect();
    client.send("count\n");
    client.expect_closed();
    host.wait_for_log("the handler trapped");
}

#[test]
fn a_message_that_the_next_one_does_not_take_ends_the_connection() {
    let probe = guest("probe");
    let host = Host::serve(&[&probe, "--then", &probe]);
    let mut client = host.connect();
    client.send("reply 5000\n");
    client.expect_closed();
    host.wait_for_log("stage 2 of the pipeline takes at most 4096 bytes and was given 5001");
}

#[test]
fn only_responders_stand_in_a_pipeline() {
    for other in ["chat", "wordcount"] {
        let stages = [&guest("upper"), "--then", &guest(other)];
        let anywhere = ["serve", "--listen", "tcp://127.0.0.1:0"];
        let finished = echo_host(&[&anywhere[..], &stages].concat());
        assert_eq!(finished.code, Some(65), "{finished:?}");
        let why = format!("{other}.wasm: is a ");
        assert!(finished.stderr.contains(&why), "{finished:?}");
        assert!(
            finished.stderr.contains("a pipeline takes responders only"),
            "{finished:?}"
        );
    }
}

#[test]
fn a_stage_is_swapped_when_its_file_changes() {
    let folder = Folder::new();
    let upper = fs::read(guest("upper")).unwrap();
    let first = folder.put("handler", upper);
    let second = folder.put("second.wasm", signer("a"));
    let options = ["--then", &second, "--watch", "--swap", "next-message"];
    let post = Post::serve_from(folder, &[&options[..], &LINES].concat());
    let mut client = post.host.connect();
    assert_eq!(client.ask("x"), "a X");
    assert_eq!(
        post.status()["generations"][0]["handler"],
        format!("{first} | {second}")
    );
    post.folder.put("second.wasm", signer("b"));
    post.wait_for_generation(2);
    assert_eq!(client.ask("x"), "b X");
    assert_eq!(post.roll_back(), 1);
    assert_eq!(client.ask("x"), "a X");
    post.put("no component");
    post.host.wait_for_log("swap refused");
    assert_eq!(client.ask("x"), "a X");
}
