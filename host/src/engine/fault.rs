//! Wasmtime's errors in the host's words.

use super::guest::Guest;
use crate::handler::CallError;
use std::time::Duration;
use wasmtime::{Error, Trap};
use wasmtime_wasi::I32Exit;

/// A program has computed for so long without moving a byte.
#[derive(Debug, thiserror::Error)]
#[error("busy for more than {0:?}")]
pub struct BusyTooLong(pub Duration);

/// Why a call into a guest failed.
pub fn of_call(error: &Error, guest: &Guest) -> CallError {
    known(error, guest).unwrap_or_else(|| CallError::Trap(one_line(error)))
}

/// Why an instance could not be made.
pub fn of_start(error: &Error, guest: &Guest) -> CallError {
    known(error, guest).unwrap_or_else(|| CallError::Instantiation(one_line(error)))
}

fn known(error: &Error, guest: &Guest) -> Option<CallError> {
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return Some(CallError::Exit(*code));
    }
    if let Some(BusyTooLong(limit)) = error.downcast_ref() {
        return Some(CallError::Timeout(*limit));
    }
    let trap = error.downcast_ref::<Trap>()?.to_string();
    let trap = trap.trim_start_matches("wasm trap: ").to_owned();
    Some(match guest.memory.refused() {
        true => CallError::Memory {
            limit_bytes: guest.memory.limit_bytes(),
            trap,
        },
        false => CallError::Trap(trap),
    })
}

/// An error and its causes in one line. Wasmtime's own messages span several at times.
pub fn one_line(error: &Error) -> String {
    format!("{error:#}")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
