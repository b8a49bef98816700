//! The kinds of handlers, on top of one instance: responder, conversation, program.

pub mod conversation;
pub mod converse;
pub mod fault;
pub mod instance;
pub mod isolation;
pub mod kept;
pub mod program;
pub mod responder;
pub mod running;
pub mod shared_instance;
pub mod shared_lock;
pub mod shared_slots;
