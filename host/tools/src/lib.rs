//! Tools that no daemon needs: the load generator, the recorder, the client, and what `echo-host new` writes.

#![forbid(unsafe_code)]

pub mod bench;
pub mod call;
pub mod client;
pub mod project;
pub mod record;
pub mod scaffold;
