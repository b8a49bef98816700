use super::*;
use crate::parse;

/// The difference between the steps of a file after its first, and the received bytes.
fn difference(file: &str, got: &[u8], ended: bool) -> String {
    let exchange = parse(file.as_bytes()).unwrap().exchanges.remove(0);
    let (passed, expected) = exchange.steps.split_at(1);
    diff(passed, expected, got, ended, exchange.ending)
}

#[test]
fn equal_lines_are_shown_once() {
    let file = "> go\n< one\n< two\n<~ th*\n< four\n<eof";
    assert_eq!(
        difference(file, b"one\n2\nthree\nfour", true),
        "    > go\n    < one\n  - < two\n  + < 2\n    < three\n  - < four\n  + < four\\\n    <eof\n"
    );
}

#[test]
fn missing_and_unexpected_lines_are_marked() {
    assert_eq!(
        difference("> go\n< a\n< b", b"a\n", false),
        "    > go\n    < a\n  - < b\n"
    );
    assert_eq!(
        difference("> go\n<eof", b"a\n", true),
        "    > go\n  + < a\n    <eof\n"
    );
}

#[test]
fn bytes_are_compared_in_rows() {
    let file = "> go\n<hex 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10";
    let got: Vec<u8> = (0..16).chain([17]).collect();
    assert_eq!(
        difference(file, &got, false),
        "    > go\n    <hex 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f\n  - <hex 10\n  + <hex 11\n"
    );
}

#[test]
fn a_flood_is_cut_short() {
    let shown = difference("> go\n< a", &b"b\n".repeat(1000), false);
    assert_eq!(shown.lines().count(), 203);
    assert!(shown.ends_with("  + ... and 800 lines more\n"), "{shown}");
}
