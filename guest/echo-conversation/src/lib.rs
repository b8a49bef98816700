//! Echo as the smallest conversation. Compare it with [echo](../../echo/src/lib.rs) to see what a
//! session costs to write and to call.

wit_bindgen::generate!({ path: "../../wit", world: "conversation-handler" });

use echo_host::handler::connections::Connection;
use echo_host::handler::types::Failure;
use exports::echo_host::handler::{conversation, manifest};

struct Echo;

impl manifest::Guest for Echo {
    fn describe() -> manifest::About {
        manifest::About {
            name: "echo-conversation".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            framing: "chunks".to_owned(),
            max_message_bytes: 1 << 20,
        }
    }
}

impl conversation::Guest for Echo {
    type Session = Session;
}

struct Session {
    connection: Connection,
}

impl conversation::GuestSession for Session {
    fn open(connection: Connection, _: Option<Vec<u8>>) -> Result<conversation::Session, Failure> {
        Ok(conversation::Session::new(Session { connection }))
    }

    fn on_message(&self, chunk: Vec<u8>) -> Result<(), Failure> {
        self.connection.send(&chunk);
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

    /// There is no state to save.
    fn save(&self) -> Option<Vec<u8>> {
        None
    }
}

// Only for wasm: native linkers, which the unit tests use, do not accept the exports' names.
#[cfg(target_family = "wasm")]
export!(Echo);

#[cfg(test)]
mod tests {
    use super::*;
    use manifest::Guest as _;

    #[test]
    fn it_takes_what_comes() {
        assert_eq!(Echo::describe().framing, "chunks");
    }
}
