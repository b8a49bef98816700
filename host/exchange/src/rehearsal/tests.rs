use super::*;
use crate::parse;

fn runs_of(file: &str) -> (Vec<Run>, usize) {
    runs(&parse(file.as_bytes()).unwrap().exchanges[0], true)
}

#[test]
fn every_offset_is_cut_once() {
    let cut = |line, offset| Run::CutAt { line, offset };
    let expected = vec![
        Run::AsWritten,
        Run::HalfClosed,
        Run::Joined,
        Run::ByteByByte,
        cut(1, 1),
        cut(1, 2),
        cut(3, 1),
    ];
    assert_eq!(runs_of("> ab\n< ab\n> c\n>hex 00"), (expected, 0));
    assert_eq!(runs_of("< hello\n>eof"), (vec![Run::AsWritten], 0));
}

#[test]
fn of_too_many_cuts_some_are_chosen_evenly() {
    let (runs, uncut) = runs_of(&format!("> {}\\", "x".repeat(2 * MAX_CUTS + 1)));
    assert_eq!((runs.len(), uncut), (MAX_CUTS + 3, MAX_CUTS));
    assert_eq!(runs[4], Run::CutAt { line: 1, offset: 3 });
    let (runs, _) = runs_of(&format!("> {}\\", "x".repeat(1 << 19)));
    assert_eq!(runs.len(), 16 + 3);
}
