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

use client::{Client, Next};
use echo_host_guest::{Connection, Result, Session, Timer};
use std::cell::RefCell;
use std::time::{Duration, Instant};
use store::Store;

echo_host_guest::conversation!(Kv, name: "kv", framing: "chunks", max_message_bytes: 1 << 20);

/// Unsent bytes of a connection at which it stops answering requests. Above the host's high-water
/// mark of 256 KiB, so that the host calls `on_writable` when they have been written; with the
/// longest reply added, below 1 MiB, at which the host closes a connection.
const ENOUGH: usize = 320 << 10;

/// The only timer. It fires at once, so that other connections are served in between.
const GO_ON: Timer = Timer::named("go on");

thread_local! {
    /// State that the sessions of an instance share. An instance has one thread.
    static STORE: RefCell<Store> = RefCell::new(Store::new(Instant::now()));
}

struct Kv {
    connection: Connection,
    client: Client,
}

impl Kv {
    /// Answers the requests that can be answered now, and sends all replies at once.
    fn answer(&mut self) -> Result {
        let queued = usize::try_from(self.connection.queued()).unwrap_or(usize::MAX);
        let mut replies = Vec::new();
        let next = STORE.with_borrow_mut(|store| {
            store.begin_turn(Instant::now());
            let room = ENOUGH.saturating_sub(queued);
            self.client.answer(store, &mut replies, room)
        });
        if !replies.is_empty() {
            self.connection.send(&replies);
        }
        match next {
            // The rest is answered in `on_writable`.
            Next::Read | Next::Write => {}
            Next::Later => self.connection.set_timer(GO_ON, Duration::ZERO),
            Next::Close => self.connection.close(),
        }
        Ok(())
    }
}

/// It saves nothing: data is lost with the instance, so its clients must notice.
impl Session for Kv {
    fn open(connection: Connection, _saved: Option<Vec<u8>>) -> Result<Self> {
        Ok(Kv {
            client: Client::new(connection.id()),
            connection,
        })
    }

    fn on_message(&mut self, chunk: Vec<u8>) -> Result {
        self.client.push(chunk);
        self.answer()
    }

    fn on_writable(&mut self) -> Result {
        self.answer()
    }

    /// Continues with postponed requests.
    fn on_timer(&mut self, _: Timer) -> Result {
        self.answer()
    }
}

/// Releases what its requests held, however the connection ended.
impl Drop for Kv {
    fn drop(&mut self) {
        STORE.with_borrow_mut(|store| self.client.leave(store));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use echo_host_guest::testing;

    #[test]
    fn clients_of_one_instance_share_the_store() {
        let mut one = testing::Client::<Kv>::connect().unwrap();
        let mut other = testing::Client::<Kv>::connect().unwrap();
        one.message("SET key va").unwrap();
        assert_eq!(one.received(), "");
        one.message("lue\r\n").unwrap();
        other.message("GET key\r\n").unwrap();
        assert_eq!(one.received(), "+OK\r\n");
        assert_eq!(other.received(), "$5\r\nvalue\r\n");
    }
}
