//! Wasmtime's errors in the host's words.

use crate::guest::excess::Excess;
use crate::guest::memory::{NoMemory, Refusal};
use crate::guest::state::Guest;
use connection::handler::CallError;
use std::time::Duration;
use wasmtime::{Error, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

/// A program has computed for so long without moving a byte.
#[derive(Debug, thiserror::Error)]
#[error("busy for more than {0:?}")]
pub struct BusyTooLong(pub Duration);

/// Why a call into a guest failed. Where in the guest is left out: its functions have no names.
pub fn of_call(error: &Error, guest: &Guest) -> CallError {
    known(error, guest).unwrap_or_else(|| CallError::Trap(words(&error.root_cause().to_string())))
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
    if let Some(excess) = excess(error, guest) {
        excess.reached();
        return Some(CallError::Limit(excess.to_string()));
    }
    let trap = match (
        error.downcast_ref::<Trap>(),
        error.downcast_ref::<NoMemory>(),
    ) {
        (Some(trap), _) => trap.to_string(),
        (None, no_memory) => no_memory?.to_string(),
    };
    let trap = trap.trim_start_matches("wasm trap: ").to_owned();
    Some(match guest.memory.refusal() {
        Some(Refusal::Memory) => CallError::Memory {
            limit_bytes: guest.memory.limit_bytes(),
            trap,
        },
        Some(Refusal::CommonMemory) => CallError::Limit(format!(
            "all guests together have as much memory as they may (--max-guest-memory): {trap}"
        )),
        Some(Refusal::Table) => {
            Excess::TableElements.reached();
            CallError::Limit(format!("{}: {trap}", Excess::TableElements))
        }
        None => CallError::Trap(trap),
    })
}

/// Our own limits say so themselves. Wasmtime has no types for those that it keeps for us, only words.
fn excess(error: &Error, guest: &Guest) -> Option<Excess> {
    if let Some(excess) = error.downcast_ref() {
        return Some(*excess);
    }
    let said = error.root_cause().to_string();
    // What happens in a call of the host happens within the guest.
    let handed = match error.downcast_ref::<WasmBacktrace>() {
        Some(_) => guest.handed.arguments,
        None => guest.handed.results,
    };
    let of_wasmtime = [
        ("fuel allocated for hostcalls", Excess::HandedBytes(handed)),
        ("store handle limit exceeded", Excess::Handles),
        ("requested len", Excess::RandomBytes),
    ];
    let (_, excess) = of_wasmtime.iter().find(|(words, _)| said.contains(words))?;
    Some(*excess)
}

/// An error and its causes in one line. Wasmtime's own messages span several at times, and as text they end where the
/// errors of others begin, which tell why the system refused something.
pub fn one_line(error: &Error) -> String {
    let causes: Vec<_> = error.chain().map(ToString::to_string).collect();
    words(&causes.join(": "))
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
