//! Which threads are busy: their guests compute for so long that they take turns. The engine tells,
//! and the server gives new connections to other threads.

use std::cell::OnceCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

thread_local! {
    static HERE: OnceCell<Busy> = const { OnceCell::new() };
}

/// Whether a thread is busy.
#[derive(Clone, Debug, Default)]
pub struct Busy(Arc<AtomicBool>);

impl Busy {
    /// The one of this thread.
    pub fn here() -> Self {
        HERE.with(|here| here.get_or_init(Busy::default).clone())
    }

    /// Makes it the one of this thread, which must have asked for none before.
    pub fn make_here(self) {
        HERE.with(|here| here.set(self))
            .expect("a thread begins with this");
    }

    /// Says whether the thread is busy.
    pub fn set(&self, is_busy: bool) {
        self.0.store(is_busy, Ordering::Relaxed);
    }

    /// Whether the thread is busy.
    pub fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
