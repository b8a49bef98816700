//! Properties of every file of exchanges. Used by `properties` and fuzzing.

use super::{Exchanges, parse};

/// Checks a file: it parses and round-trips through printing, or has a position where it is wrong.
pub fn check(input: &[u8]) {
    match parse(input) {
        Ok(file) => comes_back(file),
        Err(error) => {
            let lines: Vec<_> = input.split(|byte| *byte == b'\n').collect();
            let line = lines[error.line - 1];
            assert!((1..=line.len() + 1).contains(&error.column), "{error}");
        }
    }
}

/// A printed file parses back.
pub(super) fn comes_back(file: Exchanges) {
    let text = file.to_string();
    let read = parse(text.as_bytes());
    assert_eq!(read.map(without_lines), Ok(without_lines(file)), "{text}");
}

/// The same without line numbers, which printing changes.
fn without_lines(mut file: Exchanges) -> Exchanges {
    for exchange in &mut file.exchanges {
        exchange.line = 0;
        for step in &mut exchange.steps {
            step.line = 0;
        }
    }
    file
}
