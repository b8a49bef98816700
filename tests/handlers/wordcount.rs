//! A plain program that counts until the client has finished sending.

use super::{assert_replies, client, whole};
use crate::fixture::{Host, guest, run, tool};
use std::process::Command;

#[test]
fn it_counts_as_wc_does() {
    let host = Host::serve(&[&guest("wordcount")]);
    let long = "some words, and\tmore\n\n".repeat(50_000) + "end";
    for input in ["", "one", "one two\nthree\n", &long] {
        let counted = run(&mut client(tool("nc"), &["-N"], &host), input.as_bytes());
        let expected = run(Command::new("wc").env("LC_ALL", "C"), input.as_bytes());
        assert_eq!(counted.stdout, expected.stdout, "{counted:?}");
        assert_eq!(counted.code, Some(0));
    }
}

#[test]
fn cuts_change_nothing() {
    let host = Host::serve(&[&guest("wordcount")]);
    assert_replies(
        &host,
        b"one  two\n\nthree\tfour",
        "      2       4      20\n",
        whole,
    );
}
