//! What all commands know of their arguments.

use crate::reply::Failure;

pub const NOT_AN_INTEGER: Failure =
    Failure::Borrowed("ERR value is not an integer or out of range");

/// Whether this is the word, in whatever case.
pub fn is(text: &[u8], word: &str) -> bool {
    text.eq_ignore_ascii_case(word.as_bytes())
}

pub fn wrong_number(command: &str) -> Failure {
    format!("ERR wrong number of arguments for '{command}' command").into()
}
