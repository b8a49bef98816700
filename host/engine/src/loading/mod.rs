//! From a file to a handler that can serve: reads, recognises, screens, compiles and starts it once.

pub mod cache;
pub mod compile;
pub mod costs;
pub mod features;
pub mod file;
pub mod load;
pub mod manifest;
pub mod memories;
pub mod origin;
pub mod panics;
pub mod proving;
pub mod recompiling;
pub(crate) mod screening;
pub mod source;
pub mod watched;
