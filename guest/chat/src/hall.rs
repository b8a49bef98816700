//! Who is in which room, and who receives what.
//!
//! The hall knows no connections. It talks to listeners: connections when it is served, strings
//! when it is tested.

use crate::words::{GIVEN, Request, check_name, check_nick};
use std::collections::BTreeMap;

const LOBBY: &str = "lobby";
const HELP: &str = "\
* /nick NAME   changes your name
* /join ROOM   goes to another room
* /who         tells who is here
* /quit        leaves
* anything else is said to all in the room
";

/// Someone who receives text.
pub trait Listener {
    /// The text consists of whole lines.
    fn hear(&self, text: &str);
}

/// All users, by number.
pub struct Hall<L> {
    users: BTreeMap<u64, User<L>>,
}

struct User<L> {
    name: String,
    room: String,
    listener: L,
}

/// Whether a user stays.
#[derive(Debug, PartialEq)]
pub enum Next {
    Stay,
    Quit,
}

impl<L: Listener> Hall<L> {
    pub const fn new() -> Self {
        Hall {
            users: BTreeMap::new(),
        }
    }

    /// Adds a new user to the lobby, with a generated name. Greets with the message of the day
    /// first.
    pub fn enter(&mut self, id: u64, listener: L, motd: &str) {
        let name = given_name(id);
        for line in motd.lines() {
            listener.hear(&format!("* {line}\n"));
        }
        listener.hear(&format!(
            "* Welcome, {name}. /nick NAME changes your name, /help lists all commands.\n"
        ));
        self.seat_down(id, listener, name, LOBBY);
        self.arrive(id);
    }

    /// Adds a user from the hall of another generation, without telling anybody.
    pub fn take_over(&mut self, id: u64, listener: L, seat: &str) {
        let (name, room) = seat.split_once('\n').unwrap_or((seat, LOBBY));
        let mut name = name.to_owned();
        if self.is_taken(id, &name) {
            // A new user has taken the name.
            name = given_name(id);
            listener.hear(&format!("* you are {name} now\n"));
        }
        self.seat_down(id, listener, name, room);
    }

    fn seat_down(&mut self, id: u64, listener: L, name: String, room: &str) {
        let room = room.to_owned();
        let user = User {
            name,
            room,
            listener,
        };
        self.users.insert(id, user);
    }

    /// The state that `take_over` needs.
    pub fn seat(&self, id: u64) -> Option<String> {
        let user = self.users.get(&id)?;
        Some(format!("{}\n{}", user.name, user.room))
    }

    /// Removes a user without telling anybody.
    pub fn remove(&mut self, id: u64) {
        self.users.remove(&id);
    }

    /// Removes a user, and tells the others in the room.
    pub fn leave(&mut self, id: u64) {
        if let Some(user) = self.users.remove(&id) {
            self.tell(&user.room, id, &format!("* {} left\n", user.name));
        }
    }

    /// Executes a line of this user.
    pub fn obey(&mut self, id: u64, line: &str) -> Next {
        let Some(user) = self.users.get(&id) else {
            return Next::Quit;
        };
        let hear = |text: &str| user.listener.hear(text);
        match Request::read(line) {
            Request::Say(text) => {
                let text = format!("{}: {text}\n", user.name);
                self.tell(&user.room, id, &text);
            }
            Request::Nick(name) => self.rename(id, name),
            Request::Join(room) => self.join(id, room),
            Request::Who => hear(&self.who(&user.room)),
            Request::Help => hear(HELP),
            Request::Unknown(command) => {
                hear(&format!("* unknown command {command}; /help lists all\n"));
            }
            Request::Nothing => {}
            Request::Quit => {
                hear("* Goodbye.\n");
                return Next::Quit;
            }
        }
        Next::Stay
    }

    fn rename(&mut self, id: u64, name: &str) {
        let is_taken = self.is_taken(id, name);
        let Some(user) = self.users.get_mut(&id) else {
            return;
        };
        let verdict = match check_nick(name) {
            Ok(()) if is_taken => Err("that name is taken"),
            verdict => verdict,
        };
        if let Err(why) = verdict {
            user.listener.hear(&format!("* {why}\n"));
            return;
        }
        let before = std::mem::replace(&mut user.name, name.to_owned());
        user.listener.hear(&format!("* you are {name} now\n"));
        let room = user.room.clone();
        self.tell(&room, id, &format!("* {before} is {name} now\n"));
    }

    /// Names that differ only in case would be confused.
    fn is_taken(&self, id: u64, name: &str) -> bool {
        let name = name.to_lowercase();
        let mut others = self.users.iter().filter(|(other, _)| **other != id);
        others.any(|(_, user)| user.name.to_lowercase() == name)
    }

    fn join(&mut self, id: u64, room: &str) {
        let Some(user) = self.users.get_mut(&id) else {
            return;
        };
        let room = room.to_lowercase();
        if let Err(why) = check_name(&room) {
            user.listener.hear(&format!("* {why}\n"));
            return;
        }
        let before = std::mem::replace(&mut user.room, room);
        if before == user.room {
            user.listener
                .hear(&format!("* you are already in {before}\n"));
            return;
        }
        let farewell = format!("* {} left\n", user.name);
        self.tell(&before, id, &farewell);
        self.arrive(id);
    }

    /// Tells a user about their room, and the room about them.
    fn arrive(&self, id: u64) {
        if let Some(user) = self.users.get(&id) {
            user.listener.hear(&self.who(&user.room));
            self.tell(&user.room, id, &format!("* {} joined\n", user.name));
        }
    }

    fn who(&self, room: &str) -> String {
        let names: Vec<_> = self.in_room(room).map(|(_, user)| &*user.name).collect();
        format!("* in {room}: {}\n", names.join(", "))
    }

    /// Tells a room about an action of one of its users, except that user.
    fn tell(&self, room: &str, except: u64, text: &str) {
        for (_, user) in self.in_room(room).filter(|(id, _)| *id != except) {
            user.listener.hear(text);
        }
    }

    fn in_room<'a>(&'a self, room: &'a str) -> impl Iterator<Item = (u64, &'a User<L>)> {
        let everybody = self.users.iter().map(|(id, user)| (*id, user));
        everybody.filter(move |(_, user)| user.room == room)
    }
}

/// Unique: the number is, and nobody may choose such a name.
fn given_name(id: u64) -> String {
    format!("{GIVEN}{id}")
}

#[cfg(test)]
mod tests;
