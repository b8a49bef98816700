//! Chat rooms for all connected users.
//!
//! Serve it with `--isolation shared`, so that one instance has all connections; otherwise each
//! user is alone. It shows the use of a shared instance: the hall holds the connection handles of
//! all sessions, and a session sends to the others. This file connects the hall to the host.

mod hall;
mod words;

wit_bindgen::generate!({ path: "../../wit", world: "conversation-handler" });

use echo_host::handler::connections::Connection;
use echo_host::handler::types::Failure;
use exports::echo_host::handler::{conversation, manifest};
use hall::{Hall, Listener, Next};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

thread_local! {
    /// State that the sessions of an instance share. An instance has one thread.
    static HALL: RefCell<Hall<Rc<Connection>>> = const { RefCell::new(Hall::new()) };
}

impl Listener for Rc<Connection> {
    /// Sends without waiting: a client that does not read delays nobody, and the host disconnects
    /// it when too much is queued.
    fn hear(&self, text: &str) {
        self.send(text.as_bytes());
    }
}

/// The message of the day: the variable `MOTD`, if it is granted with `--env`.
fn motd() -> String {
    std::env::var("MOTD").unwrap_or_default()
}

struct Chat;

impl manifest::Guest for Chat {
    fn describe() -> manifest::About {
        manifest::About {
            name: "chat".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            framing: "lines".to_owned(),
            max_message_bytes: 2048,
        }
    }
}

impl conversation::Guest for Chat {
    type Session = Session;
}

/// One user. The hall has a handle to the same connection, for messages of others.
struct Session {
    connection: Rc<Connection>,
    id: u64,
    /// Whether another generation has taken over the user.
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
            None => hall.enter(id, connection.clone(), &motd()),
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
            self.connection.close();
        }
        Ok(())
    }

    /// Ends the session of a user who has left. The others are told when it is dropped.
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

/// Runs however the connection ended.
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

// Only for wasm: native linkers, which the unit tests use, do not accept the exports' names.
#[cfg(target_family = "wasm")]
export!(Chat);

#[cfg(test)]
mod tests {
    use super::*;
    use manifest::Guest as _;

    #[test]
    fn it_asks_for_lines() {
        assert_eq!(Chat::describe().framing, "lines");
    }
}
