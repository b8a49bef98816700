//! Tools that a daemon does not need: the load generator, the recorder, profiles, the client, the
//! templates of `echo-host new`, and what building them needs.

#![forbid(unsafe_code)]

pub mod bench;
pub mod call;
pub mod client;
pub mod doctor;
pub mod profile;
pub mod project;
pub mod record;
pub mod scaffold;
pub mod stopwatch;
