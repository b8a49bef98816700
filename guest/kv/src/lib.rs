//! A key-value store that speaks Redis's protocol: redis-cli and redis-benchmark work unchanged.
//!
//! Serve it with `--isolation shared`, so that one instance, and one store, serves all connections.
//! Data lives as long as the instance. It shows how a handler does its own framing, and how it
//! handles a client that requests more than it reads. This file connects the client and the store
//! to the host.

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
use echo_host::handler::connections::Connection;
use echo_host::handler::types::Failure;
use exports::echo_host::handler::{conversation, manifest};
use std::cell::RefCell;
use std::time::Instant;
use store::Store;

/// Unsent bytes of a connection at which it stops answering requests. Above the host's high-water
/// mark of 256 KiB, so that the host calls `on_writable` when they have been written; with the
/// longest reply added, below 1 MiB, at which the host closes a connection.
const ENOUGH: usize = 320 << 10;

/// The only timer. It fires at once, so that other connections are served in between.
const GO_ON: u32 = 0;

thread_local! {
    /// State that the sessions of an instance share. An instance has one thread.
    static STORE: RefCell<Store> = RefCell::new(Store::new(Instant::now()));
}

struct Kv;

impl manifest::Guest for Kv {
    fn describe() -> manifest::About {
        manifest::About {
            name: "kv".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            framing: "chunks".to_owned(),
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
    /// Answers the requests that can be answered now, and sends all replies at once.
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
            Next::Close => self.connection.close(),
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

    /// Continues with postponed requests.
    fn on_timer(&self, _: u32) -> Result<(), Failure> {
        self.answer();
        Ok(())
    }

    fn on_shutdown(&self) -> Result<(), Failure> {
        Ok(())
    }

    /// Data is lost with the instance, so its clients must notice.
    fn save(&self) -> Option<Vec<u8>> {
        None
    }
}

/// Releases what its requests held, however the connection ended.
impl Drop for Session {
    fn drop(&mut self) {
        STORE.with_borrow_mut(|store| self.client.borrow_mut().leave(store));
    }
}

// Only for wasm: native linkers, which the unit tests use, do not accept the exports' names.
#[cfg(target_family = "wasm")]
export!(Kv);

#[cfg(test)]
mod tests {
    use super::*;
    use manifest::Guest as _;

    #[test]
    fn it_cuts_its_requests_itself() {
        assert_eq!(Kv::describe().framing, "chunks");
    }
}
