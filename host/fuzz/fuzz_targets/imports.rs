#![no_main]

#[path = "../../../tests/host_calls/anything.rs"]
mod anything;
#[allow(dead_code, reason = "the tests need more of it")]
#[path = "../../../tests/host_calls/arguments.rs"]
mod arguments;
#[allow(dead_code, reason = "the tests need more of it")]
#[path = "../../../tests/host_calls/caller.rs"]
mod caller;
#[allow(dead_code, reason = "the tests need more of it")]
#[path = "../../../tests/host_calls/offer.rs"]
mod offer;
#[path = "../../../tests/host_calls/scene.rs"]
mod scene;

#[path = "../../../tests/fixture/crates.rs"]
mod crates;

/// Stands in for the fixture that the tests' source uses.
mod fixture {
    pub use super::crates::crate_folder;
    use std::path::{Path, PathBuf};

    pub fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }
}

use anything::Anything;
use std::cell::RefCell;

thread_local! {
    static ANYTHING: RefCell<Anything> = RefCell::new(Anything::new());
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    ANYTHING.with_borrow_mut(|anything| anything.call(input));
});
