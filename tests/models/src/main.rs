//! The handle and the inbox, which several threads share, in every order in which their locks and
//! atomics can be taken: no task sleeps while there is work, and nothing is lost or delivered
//! twice.
//!
//! They are compiled here from the host's own source, with loom's locks and atomics in place of
//! std's.

#![allow(dead_code, unused_imports, reason = "the models do not need all of it")]

mod handles;
mod inboxes;

use loom::model::Builder;

/// How often a thread may be interrupted in one execution. More takes minutes instead of a second;
/// bugs in practice need at most two.
const PREEMPTIONS: usize = 2;

fn main() {
    for (name, model) in inboxes::MODELS.into_iter().chain(handles::MODELS) {
        let mut builder = Builder::new();
        builder.preemption_bound = Some(PREEMPTIONS);
        builder.check(model);
        println!("{name}: holds");
    }
}

/// The modules of the host that the source uses: only what it needs, with small limits.
mod limits {
    #[derive(Debug)]
    pub struct ConnectionLimits {
        pub idle_timeout: Option<std::time::Duration>,
    }
    pub const IDLE_SWEEP: std::time::Duration = std::time::Duration::from_secs(1);
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

#[path = "../../../host/connection/src/clock.rs"]
mod clock;
#[path = "../../../host/connection/src/handle/mod.rs"]
mod handle;
#[path = "../../../host/connection/src/task/inbox.rs"]
mod inbox;

/// The properties, and their models.
type Model = (&'static str, fn());
