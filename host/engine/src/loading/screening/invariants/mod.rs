//! What must hold for any component: what screening lets through compiles in about the time, and with about the memory,
//! that its weight says.

mod choices;
mod composed;
mod module;

use super::{Weight, screen};
use crate::{Capacity, Engine};
use choices::Choices;
use rustix::time::{ClockId, clock_gettime};
use std::cell::OnceCell;
use std::time::Duration;
use wasmtime::component::Component;

/// In bytes. A longer text is refused for its counts in any case, but parsing it takes a gigabyte.
const MAX_TEXT: usize = 4 << 20;
/// Heavier components are not compiled here: what is wrong by a factor is wrong for lighter ones, too.
const MAX_TIME: Duration = Duration::from_millis(150);
/// By how much a weight may be wrong. It is for the worst function of each kind, and on other machines.
const MAX_FACTOR: u32 = 4;
/// What the compiler takes for any component.
const TIME_OF_NOTHING: Duration = Duration::from_millis(100);

thread_local! {
    static ENGINE: OnceCell<Engine> = const { OnceCell::new() };
}

/// Makes a component of `input`, and compiles it if it may be compiled.
pub fn check(input: &[u8]) {
    let mut choices = Choices::of(input);
    let text = match choices.below(3) {
        0 => composed::component(&mut choices),
        1 => composed::imports(&mut choices),
        _ => module::component(&mut choices),
    };
    if text.len() > MAX_TEXT {
        return;
    }
    let binary = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let Ok(weight) = screen(&binary) else {
        return;
    };
    let expected = weight.time();
    if expected > MAX_TIME {
        return;
    }
    let begun = cpu_time();
    let compiled = ENGINE.with(|engine| {
        let engine = engine.get_or_init(|| Engine::new(Capacity::of(1), None).expect("an engine"));
        Component::from_binary(&engine.wasm, &binary).map(drop)
    });
    let taken = cpu_time() - begun;
    let error = compiled.err().map(|error| format!("{error:#}"));
    // What does not fit the pool is no less compiled before that is said; and the validator has limits of its own.
    let limits = ["pooling allocator", "exceeds the limit"];
    let error = error.filter(|error| !limits.iter().any(|limit| error.contains(limit)));
    assert!(error.is_none(), "{error:?}: {text}");
    // Tests share their process with others, whose time would count.
    if cfg!(fuzzing) {
        let most = MAX_FACTOR * expected + TIME_OF_NOTHING;
        assert!(taken <= most, "{taken:?}, not {expected:?}: {text}");
    }
}

impl Weight {
    /// About how long the compiler takes.
    fn time(&self) -> Duration {
        Duration::from_micros(self.work + self.expanded_bytes / 2)
    }
}

/// Of this process.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}
