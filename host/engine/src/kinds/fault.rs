//! Translates wasmtime's errors into the host's.

use crate::guest::excess::Excess;
use crate::guest::memory::{NoMemory, Refusal};
use crate::guest::state::Guest;
use connection::handler::CallError;
use std::time::Duration;
use wasmtime::{Error, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

/// A program computed for too long without moving a byte.
#[derive(Debug, thiserror::Error)]
#[error("busy for more than {0:?}")]
pub struct BusyTooLong(pub Duration);

/// Why a call into a guest failed.
pub fn of_call(error: &Error, guest: &Guest) -> CallError {
    known(error, guest).unwrap_or_else(|| {
        let cause = words(&error.root_cause().to_string());
        CallError::Trap(cause + &site(error, guest))
    })
}

/// Why an instance could not start.
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
    let trap = trap.trim_start_matches("wasm trap: ").to_owned() + &site(error, guest);
    Some(match guest.memory.refusal() {
        Some(Refusal::Memory) => CallError::Memory {
            limit_bytes: guest.memory.limit_bytes(),
            trap,
        },
        Some(Refusal::CommonMemory) => CallError::Limit(format!(
            "the memory of all guests is used up (--max-guest-memory): {trap}"
        )),
        Some(Refusal::Table) => {
            Excess::TableElements.reached();
            CallError::Limit(format!("{}: {trap}", Excess::TableElements))
        }
        None => CallError::Trap(trap),
    })
}

/// Where the guest was, as far as it is known.
fn site(error: &Error, guest: &Guest) -> String {
    let trace = error.downcast_ref::<WasmBacktrace>();
    trace.map_or(String::new(), |trace| {
        guest.settings.trap_sites.describe(trace)
    })
}

/// Our own limits have types. Those that wasmtime keeps for us only have texts.
fn excess(error: &Error, guest: &Guest) -> Option<Excess> {
    if let Some(excess) = error.downcast_ref() {
        return Some(*excess);
    }
    let said = error.root_cause().to_string();
    // A backtrace means that the guest was calling the host.
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

/// An error and its causes in one line. Wasmtime's messages may span several lines, and omit the
/// causes, which say why the system refused something.
pub fn one_line(error: &Error) -> String {
    let causes: Vec<_> = error.chain().map(ToString::to_string).collect();
    words(&causes.join(": "))
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
