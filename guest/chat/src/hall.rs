//! Who is here, in which room, and who hears what.
//!
//! The hall knows no connections: it talks to listeners, which are connections when it is served and
//! strings when it is tested.

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

/// Someone who can be told something.
pub trait Listener {
    /// The text consists of whole lines.
    fn hear(&self, text: &str);
}

/// All users, by a number of each.
pub struct Hall<L> {
    users: BTreeMap<u64, User<L>>,
}

struct User<L> {
    name: String,
    room: String,
    listener: L,
}

/// Whether a user goes on.
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

    /// Lets someone new into the lobby, under a name given to them.
    pub fn enter(&mut self, id: u64, listener: L) {
        let name = given_name(id);
        listener.hear(&format!(
            "* Welcome, {name}. /nick NAME changes your name, /help tells the rest.\n"
        ));
        self.seat_down(id, listener, name, LOBBY);
        self.arrive(id);
    }

    /// Lets someone in who comes from the hall of another generation, without a word to anybody.
    pub fn take_over(&mut self, id: u64, listener: L, seat: &str) {
        let (name, room) = seat.split_once('\n').unwrap_or((seat, LOBBY));
        let mut name = name.to_owned();
        if self.is_taken(id, &name) {
            // Someone new was quicker.
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

    /// What `take_over` needs to know.
    pub fn seat(&self, id: u64) -> Option<String> {
        let user = self.users.get(&id)?;
        Some(format!("{}\n{}", user.name, user.room))
    }

    /// Forgets someone without a word.
    pub fn remove(&mut self, id: u64) {
        self.users.remove(&id);
    }

    /// Forgets someone, and tells those who were in the same room.
    pub fn leave(&mut self, id: u64) {
        if let Some(user) = self.users.remove(&id) {
            self.tell(&user.room, id, &format!("* {} left\n", user.name));
        }
    }

    /// Does what a line of this user asks for.
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
                hear(&format!(
                    "* there is no {command}; /help tells what there is\n"
                ));
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
            Ok(()) if is_taken => Err("somebody has that name"),
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

    /// Names that differ by case only would be taken for each other.
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
                .hear(&format!("* you are in {before} already\n"));
            return;
        }
        let farewell = format!("* {} left\n", user.name);
        self.tell(&before, id, &farewell);
        self.arrive(id);
    }

    /// Introduces someone to their room and the room to them.
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

    /// Tells a room something that one of its users has done, and knows already.
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

/// Unique, as the number is and nobody may choose such a name.
fn given_name(id: u64) -> String {
    format!("{GIVEN}{id}")
}

#[cfg(test)]
mod tests;
