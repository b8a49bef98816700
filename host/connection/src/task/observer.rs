//! What the loop around a stream looks at besides moving bytes: what the client seems to speak,
//! until the handler replies, and what those see who watch the connection.
//!
//! Nearly all connections have no observer. Its methods are cold, so that others do not pay for
//! their size.

use super::foreign::Foreign;
use super::machine::{ByteWire, WatchedInput};
use crate::handle::{ConnectionHandle, Orders, Seen, Watch};
use bytes::Bytes;
use std::sync::Arc;

/// The observer of a connection.
#[derive(Default)]
pub struct Observer {
    /// What the client seems to speak, until the handler replies.
    pub foreign: Option<Foreign>,
    watching: Option<Watching>,
}

struct Watching {
    watch: Arc<Watch>,
    input: WatchedInput,
}

impl Observer {
    /// Whether there is nothing to look at.
    pub fn is_done(&self) -> bool {
        self.foreign.is_none() && self.watching.is_none()
    }

    /// Whether somebody watches.
    pub fn is_watching(&self) -> bool {
        self.watching.is_some()
    }

    /// Sessions have sent this to a connection that is watched.
    #[cold]
    #[inline(never)]
    pub fn look_at_orders(
        &mut self,
        orders: &Orders,
        wire: &mut impl ByteWire,
        on: &ConnectionHandle,
    ) {
        if let Some(watch) = &orders.watch {
            self.watch(watch, wire, on);
            ordered(watch, orders, on);
        }
    }

    /// Watches the connection on behalf of `watch` from here on, if it does not yet. What was read
    /// before and is not handled yet is seen too.
    fn watch(&mut self, watch: &Arc<Watch>, wire: &mut impl ByteWire, on: &ConnectionHandle) {
        let is_known = |it: &Watching| Arc::ptr_eq(&it.watch, watch);
        if self.watching.as_ref().is_some_and(is_known) {
            return;
        }
        let (mut input, read) = wire.watch_input();
        input.read(&read, |bytes| watch.tell(on, Seen::FromClient(bytes)));
        self.watching = Some(Watching {
            watch: watch.clone(),
            input,
        });
    }

    /// A call may begin only now.
    #[cold]
    #[inline(never)]
    pub fn begin_call(&self) {
        if let Some(it) = &self.watching {
            it.watch.begin_call();
        }
    }

    /// The client has sent this.
    #[cold]
    #[inline(never)]
    pub fn read(&mut self, bytes: &[u8], on: &ConnectionHandle) {
        if let Some(Watching { watch, input }) = self.still_watching() {
            input.read(bytes, |bytes| watch.tell(on, Seen::FromClient(bytes)));
        }
    }

    /// The client sends no more.
    #[cold]
    #[inline(never)]
    pub fn finished(&mut self, on: &ConnectionHandle) {
        if let Some(it) = self.still_watching() {
            it.watch.tell(on, Seen::Finished);
        }
    }

    /// A call has returned this reply.
    #[cold]
    #[inline(never)]
    pub fn called(&mut self, reply: Option<&Bytes>, on: &ConnectionHandle) {
        if let Some(it) = self.still_watching() {
            it.watch.end_call();
            if let Some(reply) = reply {
                it.watch.tell(on, Seen::ToClient(reply));
            }
        }
    }

    /// Those who watch may have left meanwhile.
    fn still_watching(&mut self) -> Option<&mut Watching> {
        if self.watching.as_ref().is_some_and(|it| it.watch.is_over()) {
            self.watching = None;
        }
        self.watching.as_mut()
    }
}

/// Sessions have sent this, and a call may follow.
#[cold]
#[inline(never)]
pub fn ordered(watch: &Watch, orders: &Orders, on: &ConnectionHandle) {
    let messages = orders.messages.iter().map(|it| &it[..]);
    let bytes = orders.bytes.chunk();
    let bytes = (!bytes.is_empty()).then_some(bytes);
    for sent in bytes.into_iter().chain(messages) {
        watch.tell(on, Seen::ToClient(sent));
    }
    watch.begin_call();
}
