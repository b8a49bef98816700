//! A chat room: everyone hears what one says.
//!
//! All connections share one instance (`isolation = "shared"`), so the room is a list of
//! connections. `room.rs` knows who is there.

mod room;

use echo_host_guest::{Connection, Result, Session, text};
use room::Room;
use std::cell::RefCell;
use std::rc::Rc;

echo_host_guest::conversation!(Guest, framing: "lines", max_message_bytes: 1024);

thread_local! {
    /// What the sessions of an instance share. An instance has one thread.
    static ROOM: RefCell<Room<Rc<Connection>>> = const { RefCell::new(Room::new()) };
}

/// One guest. The room has a handle to the same connection, for what others say.
struct Guest {
    connection: Rc<Connection>,
    id: u64,
    /// Whether another version of the handler has taken over.
    moved: bool,
}

impl Session for Guest {
    fn open(connection: Connection, saved: Option<Vec<u8>>) -> Result<Self> {
        let connection = Rc::new(connection);
        let id = connection.id();
        let saved_name = saved.map(text).transpose()?;
        ROOM.with_borrow_mut(|room| {
            let is_new = saved_name.is_none();
            let name = saved_name.unwrap_or_else(|| format!("guest{id}"));
            room.enter(id, &name, connection.clone());
            if is_new {
                writeln!(
                    connection,
                    "* welcome, {name}; /nick NAME, /who and /quit are commands"
                );
                tell_others(room, id, &format!("* {name} joined"));
            }
        });
        Ok(Guest {
            connection,
            id,
            moved: false,
        })
    }

    fn on_message(&mut self, line: Vec<u8>) -> Result {
        // Escape sequences would reach the terminals of others.
        let line = text(line)?.replace(char::is_control, "");
        ROOM.with_borrow_mut(|room| self.obey(room, line.trim()));
        Ok(())
    }

    fn on_shutdown(&mut self) -> Result {
        self.connection.send_line("* the server is stopping");
        Ok(())
    }

    fn save(&mut self) -> Option<Vec<u8>> {
        self.moved = true;
        ROOM.with_borrow(|room| Some(room.name(self.id)?.into()))
    }
}

impl Guest {
    fn obey(&self, room: &mut Room<Rc<Connection>>, line: &str) {
        let before = room.name(self.id).unwrap_or_default().to_owned();
        match line.split_once(' ').unwrap_or((line, "")) {
            ("/nick", name) => match room.rename(self.id, name) {
                Ok(()) => {
                    writeln!(self.connection, "* you are {name} now");
                    tell_others(room, self.id, &format!("* {before} is {name} now"));
                }
                Err(reason) => writeln!(self.connection, "* {reason}"),
            },
            ("/who", _) => writeln!(self.connection, "* here: {}", room.names().join(", ")),
            ("/quit", _) => self.connection.close(),
            _ if line.is_empty() => {}
            _ => tell_others(room, self.id, &format!("{before}: {line}")),
        }
    }
}

/// Runs however the connection ended.
impl Drop for Guest {
    fn drop(&mut self) {
        ROOM.with_borrow_mut(|room| {
            let left = room.leave(self.id);
            if let Some(name) = left.filter(|_| !self.moved) {
                tell_others(room, self.id, &format!("* {name} left"));
            }
        });
    }
}

fn tell_others(room: &Room<Rc<Connection>>, except: u64, line: &str) {
    for connection in room.others(except) {
        connection.send_line(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use echo_host_guest::testing::{Client, CloseMode};

    fn enter(name: &str) -> Client<Guest> {
        let mut client = Client::connect().unwrap();
        assert!(client.received().text().starts_with("* welcome, guest"));
        client.message(format!("/nick {name}")).unwrap();
        assert_eq!(client.received(), format!("* you are {name} now\n"));
        client
    }

    #[test]
    fn everyone_else_hears_what_one_says() {
        let (mut ada, mut bob) = (enter("ada"), enter("bob"));
        ada.received();
        ada.message("hello").unwrap();
        assert_eq!(bob.received(), "ada: hello\n");
        bob.message("hi\x1b[2J").unwrap();
        assert_eq!(ada.received(), "bob: hi[2J\n");
        bob.message("/who").unwrap();
        assert_eq!(bob.received(), "* here: ada, bob\n");
    }

    #[test]
    fn names_are_unique_and_changes_are_announced() {
        let (mut ada, mut bob) = (enter("ada"), enter("bob"));
        ada.received();
        bob.message("/nick ada").unwrap();
        assert_eq!(bob.received(), "* the name `ada` is taken\n");
        bob.message("/nick eve").unwrap();
        assert_eq!(ada.received(), "* bob is eve now\n");
    }

    #[test]
    fn who_leaves_is_announced() {
        let (mut ada, mut bob, eve) = (enter("ada"), enter("bob"), enter("eve"));
        ada.received();
        bob.message("/quit").unwrap();
        assert_eq!(bob.closed(), Some(CloseMode::Graceful));
        drop(eve);
        assert_eq!(ada.received(), "* bob left\n* eve left\n");
    }

    #[test]
    fn a_guest_who_moves_to_the_next_version_keeps_the_name() {
        let (mut ada, mut bob) = (enter("ada"), enter("bob"));
        let name = ada.save().unwrap();
        drop(ada);
        let mut ada = Client::<Guest>::resume(name).unwrap();
        assert_eq!(bob.received(), "");
        ada.message("still here").unwrap();
        assert_eq!(bob.received(), "ada: still here\n");
    }
}
