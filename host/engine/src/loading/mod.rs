//! Turns a file into a handler that can serve: reads, recognises, screens, compiles and starts it
//! once.

pub mod cache;
pub mod compile;
pub mod costs;
pub mod demos;
pub mod file;
pub mod language;
pub mod load;
pub mod loaded;
pub mod manifest;
pub mod memories;
pub mod not_compiled;
pub mod origin;
pub mod proving;
pub mod recompiling;
pub mod serving;
pub mod source;
pub mod watched;
#[cfg(any(test, fuzzing))]
pub(crate) mod weights;
