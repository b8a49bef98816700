//! What the connections of one thread share.

use super::Plan;
use super::message::Messages;
use super::record::Record;
use connection::limits::READ_BYTES;
use std::sync::{Arc, Mutex, MutexGuard};

/// One thread's counts and its room for messages, which no connection keeps for longer than it works. The
/// lock is taken by the thread itself, and now and then by whoever shows the progress.
#[derive(Clone)]
pub struct Lane(Arc<Mutex<Shared>>);

pub struct Shared {
    pub messages: Messages,
    pub received: Box<[u8]>,
    pub record: Record,
}

impl Lane {
    pub fn new(plan: &Plan) -> Self {
        Lane(Arc::new(Mutex::new(Shared {
            messages: Messages::new(plan.shape, plan.message_bytes, plan.pipeline),
            received: vec![0; READ_BYTES].into(),
            record: Record::new(plan),
        })))
    }

    pub fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().expect("nothing panics while it holds a lane")
    }
}
