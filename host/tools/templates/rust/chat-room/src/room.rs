//! Who is in the room. Knows neither lines nor connections.

use std::collections::BTreeMap;

/// The longest name, in characters.
const MAX_NAME: usize = 20;

/// Guests by number, each with a name and what reaches them.
pub struct Room<T>(BTreeMap<u64, (String, T)>);

impl<T> Room<T> {
    pub const fn new() -> Self {
        Room(BTreeMap::new())
    }

    pub fn enter(&mut self, id: u64, name: &str, guest: T) {
        self.0.insert(id, (name.to_owned(), guest));
    }

    /// Removes a guest and returns the name.
    pub fn leave(&mut self, id: u64) -> Option<String> {
        self.0.remove(&id).map(|(name, _)| name)
    }

    pub fn name(&self, id: u64) -> Option<&str> {
        self.0.get(&id).map(|(name, _)| name.as_str())
    }

    /// Changes a name. The error is for the guest.
    pub fn rename(&mut self, id: u64, name: &str) -> Result<(), String> {
        let is_short = (1..=MAX_NAME).contains(&name.chars().count());
        if !is_short || !name.chars().all(char::is_alphanumeric) {
            return Err(format!("a name has 1 to {MAX_NAME} letters and digits"));
        }
        let mut others = self.0.iter().filter(|(other, _)| **other != id);
        if others.any(|(_, (taken, _))| taken == name) {
            return Err(format!("the name `{name}` is taken"));
        }
        if let Some((current, _)) = self.0.get_mut(&id) {
            *current = name.to_owned();
        }
        Ok(())
    }

    /// All names, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.0.values().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names
    }

    pub fn others(&self, id: u64) -> impl Iterator<Item = &T> {
        let others = self.0.iter().filter(move |(other, _)| **other != id);
        others.map(|(_, (_, guest))| guest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guests_come_and_go() {
        let mut room = Room::new();
        room.enter(1, "ada", 'a');
        room.enter(2, "bob", 'b');
        assert_eq!(room.names(), ["ada", "bob"]);
        assert!(room.others(1).eq(&['b']));
        assert_eq!(room.leave(2).as_deref(), Some("bob"));
        assert_eq!(room.leave(2), None);
        assert_eq!((room.name(1), room.name(2)), (Some("ada"), None));
    }

    #[test]
    fn names_are_checked() {
        let mut room = Room::new();
        room.enter(1, "ada", ());
        room.enter(2, "bob", ());
        for wrong in ["", "a b", "a:", "ada", &"n".repeat(21)] {
            assert!(room.rename(2, wrong).is_err(), "{wrong}");
        }
        assert_eq!(room.rename(1, "ada"), Ok(()));
        assert_eq!(room.rename(2, "Zoë"), Ok(()));
        assert_eq!(room.name(2), Some("Zoë"));
    }
}
