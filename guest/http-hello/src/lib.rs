//! A small HTTP/1.1 server: one page, and an echo of what is posted.
//!
//! It shows how a handler does its own framing: the host passes it chunks, and it finds the
//! requests in them, however they are split. It sends no `Date` field, as a server without a clock
//! may (RFC 9110, section 6.6.1). This file connects the client to the host.

mod chunks;
mod client;
mod head;
mod pages;
mod requests;
mod response;

wit_bindgen::generate!({ path: "../../wit", world: "conversation-handler" });

use client::Client;
use echo_host::handler::connections;
use echo_host::handler::types::Failure;
use exports::echo_host::handler::{conversation, manifest};
use requests::Flow;
use std::cell::RefCell;

struct HttpHello;

impl manifest::Guest for HttpHello {
    fn describe() -> manifest::About {
        manifest::About {
            name: "http-hello".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            framing: "chunks".to_owned(),
            max_message_bytes: 1 << 20,
        }
    }
}

impl conversation::Guest for HttpHello {
    type Session = Session;
}

struct Session {
    connection: connections::Connection,
    client: RefCell<Client>,
}

impl conversation::GuestSession for Session {
    fn open(
        connection: connections::Connection,
        _saved: Option<Vec<u8>>,
    ) -> Result<conversation::Session, Failure> {
        Ok(conversation::Session::new(Session {
            connection,
            client: RefCell::default(),
        }))
    }

    fn on_message(&self, chunk: Vec<u8>) -> Result<(), Failure> {
        let mut out = Vec::new();
        let flow = self.client.borrow_mut().answer(chunk, &mut out);
        if !out.is_empty() {
            self.connection.send(&out);
        }
        if flow == Flow::Stop {
            self.connection.close();
        }
        Ok(())
    }

    fn on_eof(&self) -> Result<(), Failure> {
        Ok(())
    }

    fn on_writable(&self) -> Result<(), Failure> {
        Ok(())
    }

    fn on_timer(&self, _: u32) -> Result<(), Failure> {
        Ok(())
    }

    fn on_shutdown(&self) -> Result<(), Failure> {
        Ok(())
    }

    /// Between two requests there is no state; within one, the client tries again.
    fn save(&self) -> Option<Vec<u8>> {
        self.client.borrow().is_idle().then(Vec::new)
    }
}

// Only for wasm: native linkers, which the unit tests use, do not accept the exports' names.
#[cfg(target_family = "wasm")]
export!(HttpHello);

#[cfg(test)]
mod tests {
    use super::*;
    use manifest::Guest as _;

    #[test]
    fn it_cuts_its_requests_itself() {
        assert_eq!(HttpHello::describe().framing, "chunks");
    }
}
