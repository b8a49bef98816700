//! Chat rooms for all connected users.
//!
//! Serve it with `--isolation shared`, so that one instance has all connections; otherwise each
//! user is alone. It shows the use of a shared instance: the hall holds the connection handles of
//! all sessions, and a session sends to the others. This file connects the hall to the host.

mod hall;
mod words;

use echo_host_guest::{Connection, Result, Session};
use hall::{Hall, Listener, Next};
use std::cell::RefCell;
use std::rc::Rc;

echo_host_guest::conversation!(User, name: "chat", framing: "lines", max_message_bytes: 2048);

thread_local! {
    /// State that the sessions of an instance share. An instance has one thread.
    static HALL: RefCell<Hall<Rc<Connection>>> = const { RefCell::new(Hall::new()) };
}

impl Listener for Rc<Connection> {
    /// Sends without waiting: a client that does not read delays nobody, and the host disconnects
    /// it when too much is queued.
    fn hear(&self, text: &str) {
        self.send(text);
    }
}

/// The message of the day: the variable `MOTD`, if it is granted with `--env`.
fn motd() -> String {
    std::env::var("MOTD").unwrap_or_default()
}

/// One user. The hall has a handle to the same connection, for messages of others.
struct User {
    connection: Rc<Connection>,
    id: u64,
    /// Whether another generation has taken over the user.
    moved: bool,
}

impl Session for User {
    fn open(connection: Connection, saved: Option<Vec<u8>>) -> Result<Self> {
        let connection = Rc::new(connection);
        let id = connection.id();
        HALL.with_borrow_mut(|hall| match saved {
            Some(seat) => hall.take_over(id, connection.clone(), &String::from_utf8_lossy(&seat)),
            None => hall.enter(id, connection.clone(), &motd()),
        });
        Ok(User {
            connection,
            id,
            moved: false,
        })
    }

    fn on_message(&mut self, line: Vec<u8>) -> Result {
        let line = words::clean(&line);
        if HALL.with_borrow_mut(|hall| hall.obey(self.id, &line)) == Next::Quit {
            self.connection.close();
        }
        Ok(())
    }

    fn on_shutdown(&mut self) -> Result {
        self.connection.hear("* The server is stopping. Goodbye.\n");
        Ok(())
    }

    fn save(&mut self) -> Option<Vec<u8>> {
        self.moved = true;
        let seat = HALL.with_borrow(|hall| hall.seat(self.id));
        seat.map(String::into_bytes)
    }
}

/// Runs however the connection ended.
impl Drop for User {
    fn drop(&mut self) {
        HALL.with_borrow_mut(|hall| {
            if self.moved {
                hall.remove(self.id);
            } else {
                hall.leave(self.id);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use echo_host_guest::testing::{Client, CloseMode};

    #[test]
    fn users_of_one_instance_hear_each_other() {
        let mut ada = Client::<User>::connect().unwrap();
        let mut bob = Client::<User>::connect().unwrap();
        ada.message("/nick ada").unwrap();
        assert!(bob.received().text().ends_with("is ada now\n"));
        bob.message("hello").unwrap();
        assert!(ada.received().text().ends_with(": hello\n"));
        ada.message("/quit").unwrap();
        assert_eq!(ada.closed(), Some(CloseMode::Graceful));
        assert!(bob.received().text().ends_with("* ada left\n"));
    }

    #[test]
    fn a_user_who_migrates_keeps_the_name_and_is_not_announced() {
        let mut ada = Client::<User>::connect().unwrap();
        let mut bob = Client::<User>::connect().unwrap();
        ada.message("/nick ada").unwrap();
        bob.received();
        let seat = ada.save().unwrap();
        drop(ada);
        let mut ada = Client::<User>::resume(seat).unwrap();
        assert_eq!(bob.received(), "");
        bob.message("hello").unwrap();
        assert!(ada.received().text().ends_with(": hello\n"));
        ada.message("/nick ada").unwrap();
        assert!(ada.received().text().ends_with("* you are ada now\n"));
    }
}
