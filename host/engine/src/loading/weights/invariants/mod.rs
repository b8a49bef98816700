//! Property of screening: an accepted component compiles in about the time and memory of its
//! weight. Used by tests and fuzzing.

mod choices;
mod composed;
mod module;

use crate::{Capacity, Engine};
use choices::Choices;
use rustix::time::{ClockId, clock_gettime};
use screening::{Weight, screen};
use std::cell::OnceCell;
use std::time::Duration;
use wasmtime::component::Component;

/// In bytes. A longer text would be refused anyway, but parsing it takes a gigabyte.
const MAX_TEXT: usize = 4 << 20;
/// Heavier components are not compiled here: a wrong factor shows with lighter ones too.
const MAX_TIME: Duration = Duration::from_millis(150);
/// The tolerance of a weight, which is for the worst function of each kind and other machines.
const MAX_FACTOR: u32 = 4;
/// The compile time of an empty component.
const TIME_OF_NOTHING: Duration = Duration::from_millis(100);

thread_local! {
    static ENGINE: OnceCell<Engine> = const { OnceCell::new() };
}

/// Generates a component from `input`, and compiles it if screening accepts it.
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
    let expected = time_of(weight);
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
    // A component that exceeds the pool is compiled before that shows; and the validator has its
    // own limits.
    let limits = ["pooling allocator", "exceeds the limit"];
    let error = error.filter(|error| !limits.iter().any(|limit| error.contains(limit)));
    assert!(error.is_none(), "{error:?}: {text}");
    // Only when fuzzing: other tests in this process would distort the time.
    if cfg!(fuzzing) {
        let most = MAX_FACTOR * expected + TIME_OF_NOTHING;
        assert!(taken <= most, "{taken:?}, not {expected:?}: {text}");
    }
}

/// The estimated compile time.
fn time_of(weight: Weight) -> Duration {
    Duration::from_micros(weight.work + weight.expanded_bytes / 2)
}

/// The CPU time of this process.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}
