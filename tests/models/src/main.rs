//! The handle and the inbox, which several threads share, in every order in which their locks and atomics can be taken:
//! nobody sleeps while there is something to do, and nothing is lost or told twice.
//!
//! They are compiled here once more, from the host's own source, with loom's locks and atomics in place of std's.

#![allow(dead_code, unused_imports, reason = "the models do not need all of it")]

mod handles;
mod inboxes;

use loom::model::Builder;

/// How often a thread may be interrupted in one order of things. With more, all of it takes minutes, not a second; what goes
/// wrong in practice goes wrong with two.
const PREEMPTIONS: usize = 2;

fn main() {
    for (name, model) in inboxes::MODELS.into_iter().chain(handles::MODELS) {
        let mut builder = Builder::new();
        builder.preemption_bound = Some(PREEMPTIONS);
        builder.check(model);
        println!("{name}: holds");
    }
}

/// What the source finds as modules of the host: only as much as it needs, and small bounds.
mod framing {
    #[derive(Debug)]
    pub struct Framing;
}
mod limits {
    pub const MAX_WAITING_DATAGRAMS: usize = 3;
    pub const MAX_WAITING_DATAGRAM_BYTES: usize = 8;
}
mod sync {
    pub use loom::sync::{MutexGuard, atomic};

    /// Like the host's: not poisoned by panics.
    #[derive(Debug, Default)]
    pub struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub fn new(value: T) -> Self {
            Mutex(loom::sync::Mutex::new(value))
        }

        pub fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().expect("no model panics on purpose")
        }
    }
}

#[path = "../../../host/connection/src/handle/mod.rs"]
mod handle;
#[path = "../../../host/connection/src/task/inbox.rs"]
mod inbox;

/// What must hold, and what shows it.
type Model = (&'static str, fn());
