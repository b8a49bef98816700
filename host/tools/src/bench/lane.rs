//! The state shared by the connections of a thread.

use super::Plan;
use super::message::Messages;
use super::record::Record;
use connection::limits::READ_BYTES;
use parking_lot::{Mutex, MutexGuard};
use std::sync::Arc;

/// The counts and message buffers of a thread. No connection holds the lock across a wait; besides
/// the thread, only the progress display takes it.
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
        self.0.lock()
    }
}
