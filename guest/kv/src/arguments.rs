//! Helpers for arguments, shared by all commands.

use crate::reply::Failure;

pub const NOT_AN_INTEGER: Failure =
    Failure::Borrowed("ERR value is not an integer or out of range");
pub const SYNTAX: Failure = Failure::Borrowed("ERR syntax error");

/// How much of an argument an error message quotes, in bytes.
const MAX_SHOWN_BYTES: usize = 128;

/// Whether the argument is this word, in any case.
pub fn is(text: &[u8], word: &str) -> bool {
    text.eq_ignore_ascii_case(word.as_bytes())
}

pub fn wrong_number(command: &str) -> Failure {
    format!("ERR wrong number of arguments for '{command}' command").into()
}

/// The beginning of an argument, for an error message.
pub fn shown(argument: &[u8]) -> String {
    let length = argument.len().min(MAX_SHOWN_BYTES);
    String::from_utf8_lossy(&argument[..length]).into_owned()
}
