//! Tools that a daemon does not need: the load generator, the recorder, the client, and the
//! templates of `echo-host new`.

#![forbid(unsafe_code)]

pub mod bench;
pub mod call;
pub mod client;
pub mod project;
pub mod record;
pub mod scaffold;
