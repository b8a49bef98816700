//! Misdeeds of guests, by name: the handlers of the tests commit them when and where they are told
//! to.
//!
//! `commit` does not return from most of them. If it returns, the result is what the guest found
//! out.

mod beyond;
mod secret;

wit_bindgen::generate!({ path: "wit", world: "misdeeds", generate_all });

use std::io::{self, Read};
use std::{hint, mem, process};
use wasi::clocks::{monotonic_clock, wall_clock};
use wasi::random::random::get_random_bytes;

/// The misdeeds, for a guest's help.
pub const HELP: &str = "\
panic TEXT      panics
unreachable     runs into the instruction of that name
outside         reads beyond the end of its memory
recurse         calls itself for ever
spin            computes for ever
hang            waits for ever
stdin           reads its standard input to the end and tells how much that was
exit CODE       exits
hoard           takes memory until there is none
pollables       makes pollables until there is no room
random SIZE     asks for so many random bytes at once
complain TEXT   prints on standard error; \\e, \\n and \\r stand for those characters
flood           prints there for ever
clocks          what its clocks' resolutions are in nanoseconds, and whether they keep to them
wait NS         waits for so many nanoseconds by its clock; tells for how many, and how often it woke
socket, name    asks for a socket, or for the address of a name
plant SEED      leaves a secret all over its memory
find SEED       tells how often that secret is in its memory";

/// Commits the named misdeed and returns the result, if it returns; `None` if there is none with
/// this name.
pub fn commit(name: &str, rest: &str) -> Option<String> {
    let number = || rest.parse().unwrap_or_default();
    match name {
        "panic" => panic!("{rest}"),
        "unreachable" => unreachable(),
        "outside" => Some(outside().to_string()),
        "recurse" => Some(recurse(1).to_string()),
        "spin" => loop {
            hint::spin_loop();
        },
        "hang" => {
            monotonic_clock::subscribe_duration(u64::MAX).block();
            None
        }
        "stdin" => Some(read_to_end()),
        "exit" => process::exit(number() as i32),
        "hoard" => loop {
            mem::forget(hint::black_box(vec![1u8; 1 << 20]));
        },
        "pollables" => loop {
            mem::forget(monotonic_clock::subscribe_duration(u64::MAX));
        },
        "random" => Some(get_random_bytes(number()).len().to_string()),
        "complain" => {
            eprintln!("{}", unescape(rest));
            Some("done".to_owned())
        }
        "flood" => loop {
            eprintln!("flood");
        },
        "clocks" => Some(clocks()),
        "wait" => Some(wait(number())),
        "socket" => Some(beyond::socket()),
        "name" => Some(beyond::name(rest)),
        "plant" => Some(secret::plant(number()).to_string()),
        "find" => Some(secret::find(number()).to_string()),
        _ => None,
    }
}

/// The text with escapes for characters that a line cannot have.
pub fn unescape(text: &str) -> String {
    text.replace("\\e", "\x1b")
        .replace("\\n", "\n")
        .replace("\\r", "\r")
}

#[cfg(target_family = "wasm")]
fn unreachable() -> ! {
    core::arch::wasm32::unreachable()
}

#[cfg(not(target_family = "wasm"))]
fn unreachable() -> ! {
    process::abort()
}

/// No guest of the tests has this much memory.
fn outside() -> u8 {
    let end = hint::black_box(usize::MAX - 15) as *const u8;
    // SAFETY: none is needed: this tests the sandbox.
    unsafe { end.read_volatile() }
}

/// Never returns; the condition only hides that from the compiler.
fn recurse(depth: u64) -> u64 {
    if depth == 0 {
        0
    } else {
        recurse(hint::black_box(depth + 1)) + 1
    }
}

fn read_to_end() -> String {
    let mut input = Vec::new();
    match io::stdin().read_to_end(&mut input) {
        Ok(size) => size.to_string(),
        Err(error) => error.to_string(),
    }
}

/// A clock keeps its resolution if all its values are multiples of it.
fn clocks() -> String {
    let (monotonic, wall) = (monotonic_clock::resolution(), wall_clock::resolution());
    let wall = wall.seconds * 1_000_000_000 + u64::from(wall.nanoseconds);
    let kept = (0..1000).all(|_| {
        let nanoseconds = u64::from(wall_clock::now().nanoseconds);
        monotonic_clock::now().is_multiple_of(monotonic) && nanoseconds.is_multiple_of(wall)
    });
    format!("{monotonic} {wall} {kept}")
}

/// Waits like a careful program, which checks the clock after it wakes.
fn wait(nanoseconds: u64) -> String {
    let begin = monotonic_clock::now();
    let mut woke = 0;
    while monotonic_clock::now() < begin + nanoseconds {
        monotonic_clock::subscribe_instant(begin + nanoseconds).block();
        woke += 1;
    }
    format!("{} {woke}", monotonic_clock::now() - begin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_can_be_written() {
        assert_eq!(unescape("\\e[2J\\r\\n"), "\x1b[2J\r\n");
    }

    #[test]
    fn what_has_no_name_is_not_done() {
        assert_eq!(commit("be good", ""), None);
    }
}
