//! The kinds of handlers, on top of one instance: responder, conversation, program, pipeline.

pub mod conversation;
pub mod fault;
pub mod instance;
pub mod isolation;
pub mod pipeline;
pub mod program;
pub mod responder;
pub mod serving;
pub mod shared_instance;
pub mod shared_lock;
pub mod shared_places;
