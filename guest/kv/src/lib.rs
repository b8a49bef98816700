//! Keeps keys and values, and speaks Redis's protocol: redis-cli and redis-benchmark work unchanged.
//!
//! Serve it with `--isolation shared`, so that one instance, and with it one store, serves all
//! connections. What is kept lives as long as the instance. It shows how a handler cuts a stream by itself,
//! and how it keeps pace with a client that asks for more than it reads. This file connects the client and
//! the store with the host.

mod arguments;
mod client;
mod commands;
mod inline;
mod integer;
mod keys;
mod pattern;
mod profile;
mod reply;
mod requests;
mod scan;
mod server;
mod set;
mod store;
mod table;

wit_bindgen::generate!({ path: "../../wit", world: "conversation-handler" });

use client::{Client, Next};
use echo_host::handler::connections::{CloseMode, Connection};
use echo_host::handler::types::{Failure, Framing};
use exports::echo_host::handler::{conversation, manifest};
use std::cell::RefCell;
use std::time::Instant;
use store::Store;

/// Unsent bytes of a connection at which its requests wait. It is above the host's high-water mark of
/// 256 KiB, so the host says when they have gone out; and with the longest reply on top it is below the
/// 1 MiB at which the host gives a connection up.
const ENOUGH: usize = 320 << 10;

/// The only timer: it runs out at once, so that other connections are served in between.
const GO_ON: u32 = 0;

thread_local! {
    /// What the sessions of an instance share. An instance has one thread.
    static STORE: RefCell<Store> = RefCell::new(Store::new(Instant::now()));
}

struct Kv;

impl manifest::Guest for Kv {
    fn describe() -> manifest::About {
        manifest::About {
            name: "kv".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            framing: Framing::Chunks,
            max_message_bytes: 1 << 20,
        }
    }
}

impl conversation::Guest for Kv {
    type Session = Session;
}

struct Session {
    connection: Connection,
    client: RefCell<Client>,
}

impl Session {
    /// Answers what can be answered now, and sends all replies at once.
    fn answer(&self) {
        let queued = usize::try_from(self.connection.queued()).unwrap_or(usize::MAX);
        let mut replies = Vec::new();
        let next = STORE.with_borrow_mut(|store| {
            store.begin_turn(Instant::now());
            let mut client = self.client.borrow_mut();
            client.answer(store, &mut replies, ENOUGH.saturating_sub(queued))
        });
        if !replies.is_empty() {
            self.connection.send(&replies);
        }
        match next {
            // The rest is answered in `on_writable`.
            Next::Read | Next::Write => {}
            Next::Later => self.connection.set_timer(GO_ON, 0),
            Next::Close => self.connection.close(CloseMode::Graceful),
        }
    }
}

impl conversation::GuestSession for Session {
    fn open(
        connection: Connection,
        _saved: Option<Vec<u8>>,
    ) -> Result<conversation::Session, Failure> {
        Ok(conversation::Session::new(Session {
            client: RefCell::new(Client::new(connection.id())),
            connection,
        }))
    }

    fn on_message(&self, chunk: Vec<u8>) -> Result<(), Failure> {
        self.client.borrow_mut().push(chunk);
        self.answer();
        Ok(())
    }

    fn on_eof(&self) -> Result<(), Failure> {
        Ok(())
    }

    fn on_writable(&self) -> Result<(), Failure> {
        self.answer();
        Ok(())
    }

    /// Goes on with what was put off.
    fn on_timer(&self, _: u32) -> Result<(), Failure> {
        self.answer();
        Ok(())
    }

    fn on_shutdown(&self) -> Result<(), Failure> {
        Ok(())
    }

    /// What is kept is lost with the instance, so its clients shall notice.
    fn save(&self) -> Option<Vec<u8>> {
        None
    }
}

/// However the connection ended, what its requests held is free again.
impl Drop for Session {
    fn drop(&mut self) {
        STORE.with_borrow_mut(|store| self.client.borrow_mut().leave(store));
    }
}

// Only for wasm: a native linker, which the unit tests use, has no way to spell the exports' names.
#[cfg(target_family = "wasm")]
export!(Kv);

#[cfg(test)]
mod tests {
    use super::*;
    use manifest::Guest as _;

    #[test]
    fn it_cuts_its_requests_itself() {
        assert!(matches!(Kv::describe().framing, Framing::Chunks));
    }
}
