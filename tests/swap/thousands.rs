//! Thousands of swaps leave nothing behind.

use super::post::Post;
use super::versions::signer;
use crate::fixture::Usage;

const FIRST: usize = 200;
const ALL: usize = 2000;
/// Maximum growth of resident memory after all of them. Leaking 64 KiB of memory and a few pages of
/// code per version would be a hundred times as much.
const SLACK_KIB: usize = 8 << 10;

/// Threads and descriptors come and go: a control request, a thread that has just read a file.
const SLACK: usize = 4;

/// Few slots, so that a leaked one is soon noticed.
const OPTIONS: [&str; 8] = [
    "--framing",
    "lines",
    "--swap",
    "migrate",
    "--max-connections",
    "2",
    "--log-level",
    "warn",
];

#[test]
fn old_generations_are_freed() {
    let post = Post::serve(signer("v1"), &OPTIONS);
    let versions = ["v1", "v2"];
    let paths = versions.map(|version| post.folder.put(version, signer(version)));
    let mut regular = post.host.connect();
    let mut swap = |times: std::ops::Range<usize>| {
        for number in times {
            let which = (number + 1) % 2;
            assert_eq!(post.swap(&paths[which]), Ok(number as u64 + 2));
            let expected = format!("{} x", versions[which]);
            assert_eq!(regular.ask("x"), expected);
            let mut visitor = post.host.connect();
            assert_eq!(visitor.ask("x"), expected);
            visitor.finish();
            visitor.expect_closed();
        }
        settled(&post)
    };
    let before = swap(0..FIRST);
    let after = swap(FIRST..ALL);
    eprintln!("after {FIRST} swaps {before:?}, after {ALL} {after:?}");
    for (what, after, before, slack) in [
        ("descriptors", after.descriptors, before.descriptors, SLACK),
        ("threads", after.threads, before.threads, SLACK),
        ("mappings", after.mappings, before.mappings, 10 * SLACK),
    ] {
        assert!(after <= before + slack, "{what}: {before} became {after}");
    }
    let limit = before.resident_kib + SLACK_KIB;
    assert!(after.resident_kib <= limit, "{before:?} {after:?}");
    let status = post.status();
    assert_eq!(status["generations"].as_array().unwrap().len(), 2);
    assert_eq!(status["connections"]["total"], ALL + 1);
}

/// The host's resources when the last visitor and the last request are gone.
fn settled(post: &Post) -> Usage {
    post.wait_until("alone", |status| status["connections"]["open"] == 1);
    post.usage()
}
