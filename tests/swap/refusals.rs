//! Versions that must not serve, and their error messages.

use super::post::{Folder, Post};
use super::versions::{bad, counter, networker, signer, stillborn, trapping};
use crate::fixture::{Finished, echo_host};
use rustix::process::Signal;

const LINES: [&str; 2] = ["--framing", "lines"];

const PROBE: &str = "framing: lines\n== a greeting\n> hello\n<~ v* hello\n";

#[track_caller]
fn assert_refused(finished: &Finished, reason: &str) {
    assert_eq!(finished.code, Some(65), "{finished:?}");
    assert_eq!(finished.stdout, "");
    assert!(finished.stderr.contains(reason), "{reason}: {finished:?}");
}

#[test]
fn each_is_refused_with_its_reason_and_the_old_one_serves_on() {
    let post = Post::serve(counter("v1"), &["--swap", "migrate"]);
    let mut client = post.host.connect();
    assert_eq!(client.ask("a"), "v1 1 a");
    let missing = post.folder.path("missing");
    assert_refused(&post.run(&["swap", &missing]), "No such file");
    for (number, (kind, content, reason)) in bad().into_iter().enumerate() {
        let path = post.folder.put(kind, content);
        let refused = post.run(&["swap", &path]);
        assert_refused(&refused, reason);
        assert!(refused.is_one_error(), "{refused:?}");
        let status = post.status();
        assert_eq!(status["refused_swaps"], number + 2);
        let last = &status["last_refusal"];
        assert!(last["reason"].as_str().unwrap().contains(reason), "{last}");
        assert!(last["handler"].as_str().unwrap().contains(kind), "{last}");
        post.host.wait_for_log(reason);
        assert_eq!(client.ask("b"), format!("v1 {} b", number + 2));
    }
    let status = post.status();
    assert_eq!(status["generations"].as_array().unwrap().len(), 1);
    let shown = post.run(&["status"]);
    assert!(shown.stdout.contains("is empty"), "{shown:?}");
}

#[test]
fn a_bad_file_is_refused_on_a_signal_and_on_watch_too() {
    let post = Post::serve(signer("v1"), &LINES);
    post.put(stillborn());
    post.host.process.signal(Signal::HUP);
    let log = post
        .host
        .wait_for_log("swap refused, keeping the old handler");
    assert!(log.contains("cannot be started"), "{log}");
    let watching = Post::serve(signer("v1"), &["--watch", "--framing", "lines"]);
    watching.put("(module)");
    let log = watching.host.wait_for_log("swap refused");
    assert!(log.contains("core WebAssembly module"), "{log}");
    for post in [&post, &watching] {
        assert_eq!(post.host.connect().ask("x"), "v1 x");
        post.put(signer("v2"));
    }
    post.host.process.signal(Signal::HUP);
    for post in [&post, &watching] {
        post.wait_for_generation(2);
        assert_eq!(post.host.connect().ask("x"), "v2 x");
    }
}

#[test]
fn a_version_that_frames_otherwise_serves_new_clients_only() {
    let post = Post::serve(counter("v1"), &["--swap", "migrate"]);
    let mut client = post.host.connect();
    assert_eq!(client.ask("a"), "v1 1 a");
    post.swap(&crate::fixture::guest("echo-conversation"))
        .unwrap();
    let mut other = post.host.connect();
    other.send("no line");
    other.expect("no line");
    assert_eq!(client.ask("b"), "v1 2 b");
}

#[test]
fn a_probe_is_answered_before_anybody_is_served() {
    let folder = Folder::new();
    folder.put("handler", signer("v1"));
    let probe = folder.put("greeting.exchange", PROBE);
    let post = Post::serve_from(folder, &["--framing", "lines", "--probe", &probe]);
    for (name, content, shown) in [
        ("other", signer("x2"), "+ < x2 hello"),
        ("trapping", trapping(), "the handler trapped"),
    ] {
        let path = post.folder.put(name, content);
        let refused = post.run(&["swap", &path]);
        assert_refused(&refused, "greeting.exchange:4 (a greeting)");
        assert!(refused.stderr.contains("- <~ v* hello"), "{refused:?}");
        assert!(refused.stderr.contains(shown), "{refused:?}");
        post.host.wait_for_log(shown);
        assert_eq!(post.host.connect().ask("hello"), "v1 hello");
    }
    // A probe is not a client.
    let status = post.status();
    assert_eq!(status["connections"]["total"], 2);
    assert_eq!(status["failed_calls"], 0);
    post.swap_to(signer("v2"));
    assert_eq!(post.host.connect().ask("hello"), "v2 hello");
}

#[test]
fn a_probe_that_makes_no_sense_or_fails_at_the_start_ends_it() {
    let folder = Folder::new();
    let handler = folder.put("handler", signer("x1"));
    let probe = folder.put("greeting.exchange", PROBE);
    let broken = folder.put("broken.exchange", "what?\n");
    let serve = |probe: &str| {
        let common = ["serve", &handler, "--framing", "lines", "--no-control"];
        let probed = ["--listen", "tcp://127.0.0.1:0", "--probe", probe];
        echo_host(&[&common[..], &probed].concat())
    };
    assert_refused(&serve(&probe), "fails the probe");
    let finished = serve(&broken);
    assert_eq!(finished.code, Some(78), "{finished:?}");
    assert!(
        finished.stderr.contains("broken.exchange:1"),
        "{finished:?}"
    );
    assert_eq!(serve("/no/such.exchange").code, Some(78));
}

#[test]
fn a_version_may_want_no_more_than_the_one_before() {
    let reason = "new imports: wasi:sockets/instance-network@0.2.6";
    let post = Post::serve(signer("v1"), &LINES);
    let path = post.folder.put("networker", networker("v2"));
    assert_refused(&post.run(&["swap", &path]), reason);
    assert_eq!(post.host.connect().ask("x"), "v1 x");
    post.host.wait_for_log(reason);

    let allowed = ["--framing", "lines", "--allow-import", "wasi:sockets/"];
    let post = Post::serve(signer("v1"), &allowed);
    post.swap_to(networker("v2"));
    assert_eq!(post.host.connect().ask("x"), "v2 x");
    // Or for one swap only.
    let strict = Post::serve(signer("v1"), &LINES);
    let path = strict.folder.put("networker", networker("v2"));
    let allowed = strict.run(&["swap", &path, "--allow-import", "wasi:sockets/"]);
    assert_eq!(allowed.code, Some(0), "{allowed:?}");
    // The next one may omit it, and the one after it imports it again.
    post.swap_to(signer("v3"));
    post.swap_to(networker("v4"));
    // Only the named imports are allowed.
    let other = ["--framing", "lines", "--allow-import", "wasi:http/"];
    let post = Post::serve(signer("v1"), &other);
    let path = post.folder.put("networker", networker("v2"));
    assert!(post.swap(&path).is_err());
}

#[test]
fn a_version_that_fails_again_and_again_is_swapped_back() {
    let options = ["--framing", "lines", "--rollback-after", "2"];
    let post = Post::serve(signer("v1"), &options);
    assert_eq!(post.swap_to(trapping()), 2);
    for _ in 0..3 {
        let mut client = post.host.connect();
        client.send("x\n");
        client.expect_closed();
    }
    let log = post
        .host
        .wait_for_log("rolled back by itself after 3 failed calls in ");
    assert!(
        log.contains("ERROR") && log.contains("generation 2"),
        "{log}"
    );
    post.wait_for_generation(1);
    assert_eq!(post.host.connect().ask("x"), "v1 x");
    // A failure does not count against the next version.
    assert_eq!(post.swap_to(signer("v3")), 3);
    let log = post.host.stop();
    assert_eq!(log.matches("rolled back by itself").count(), 1, "{log}");
    // Without the option nobody decides for the operator.
    let post = Post::serve(signer("v1"), &LINES);
    post.swap_to(trapping());
    for _ in 0..5 {
        let mut client = post.host.connect();
        client.send("x\n");
        client.expect_closed();
    }
    assert_eq!(post.status()["generations"][0]["number"], 2);
    assert_eq!(post.status()["generations"][0]["failed_calls"], 5);
}
