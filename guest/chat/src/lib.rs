//! Rooms in which those who are connected talk to each other.
//!
//! Serve it with `--isolation shared`, so that one instance has all connections; otherwise everybody is
//! alone. It shows what a shared instance is for: the hall holds the connection handles of all sessions,
//! and whoever speaks sends to the others. This file connects the hall with the host.

mod hall;
mod words;

wit_bindgen::generate!({ path: "../../wit", world: "conversation-handler" });

use echo_host::handler::connections::{CloseMode, Connection};
use echo_host::handler::types::{Failure, Framing};
use exports::echo_host::handler::{conversation, manifest};
use hall::{Hall, Listener, Next};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

thread_local! {
    /// What the sessions of an instance share. An instance has one thread.
    static HALL: RefCell<Hall<Rc<Connection>>> = const { RefCell::new(Hall::new()) };
}

impl Listener for Rc<Connection> {
    /// Sends without waiting: one who does not read holds nobody up, and is disconnected by the host
    /// when too much is waiting for them.
    fn hear(&self, text: &str) {
        self.send(text.as_bytes());
    }
}

struct Chat;

impl manifest::Guest for Chat {
    fn describe() -> manifest::About {
        manifest::About {
            name: "chat".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            framing: Framing::Lines,
            max_message_bytes: 2048,
        }
    }
}

impl conversation::Guest for Chat {
    type Session = Session;
}

/// One user. The hall has their connection too, and sends them what the others say.
struct Session {
    connection: Rc<Connection>,
    id: u64,
    /// Whether another generation has the user now.
    moved: Cell<bool>,
}

impl conversation::GuestSession for Session {
    fn open(
        connection: Connection,
        saved: Option<Vec<u8>>,
    ) -> Result<conversation::Session, Failure> {
        let connection = Rc::new(connection);
        let id = connection.id();
        HALL.with_borrow_mut(|hall| match saved {
            Some(seat) => hall.take_over(id, connection.clone(), &String::from_utf8_lossy(&seat)),
            None => hall.enter(id, connection.clone()),
        });
        Ok(conversation::Session::new(Session {
            connection,
            id,
            moved: Cell::new(false),
        }))
    }

    fn on_message(&self, line: Vec<u8>) -> Result<(), Failure> {
        let line = words::clean(&line);
        if HALL.with_borrow_mut(|hall| hall.obey(self.id, &line)) == Next::Quit {
            self.connection.close(CloseMode::Graceful);
        }
        Ok(())
    }

    /// A user who says no more is let go: the others are told when the session is dropped.
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
        self.connection.hear("* The server is stopping. Goodbye.\n");
        Ok(())
    }

    fn save(&self) -> Option<Vec<u8>> {
        self.moved.set(true);
        let seat = HALL.with_borrow(|hall| hall.seat(self.id));
        seat.map(String::into_bytes)
    }
}

/// However the connection ended, this comes after it.
impl Drop for Session {
    fn drop(&mut self) {
        HALL.with_borrow_mut(|hall| {
            if self.moved.get() {
                hall.remove(self.id);
            } else {
                hall.leave(self.id);
            }
        });
    }
}

// Only for wasm: a native linker, which the unit tests use, has no way to spell the exports' names.
#[cfg(target_family = "wasm")]
export!(Chat);

#[cfg(test)]
mod tests {
    use super::*;
    use manifest::Guest as _;

    #[test]
    fn it_asks_for_lines() {
        assert!(matches!(Chat::describe().framing, Framing::Lines));
    }
}
