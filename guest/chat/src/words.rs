//! Parses a line that a user typed, without knowing of other users.

/// Longest name of a user or a room, in characters.
const MAX_NAME: usize = 20;
/// Prefix of the names that the hall generates. Users cannot choose such a name.
pub const GIVEN: &str = "guest";

/// The request in a line.
#[derive(Debug, PartialEq)]
pub enum Request<'a> {
    Say(&'a str),
    Nick(&'a str),
    Join(&'a str),
    Who,
    Help,
    Quit,
    Unknown(&'a str),
    Nothing,
}

impl<'a> Request<'a> {
    /// Expects a line without control characters.
    pub fn read(line: &'a str) -> Self {
        let line = line.trim();
        if line.is_empty() {
            return Request::Nothing;
        }
        if !line.starts_with('/') {
            return Request::Say(line);
        }
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        match command {
            "/nick" => Request::Nick(rest.trim()),
            "/join" => Request::Join(rest.trim()),
            "/who" => Request::Who,
            "/help" => Request::Help,
            "/quit" => Request::Quit,
            _ => Request::Unknown(command),
        }
    }
}

/// Makes a line safe for another user's terminal: no escape sequences, and nothing that ends a line
/// or changes its direction, so that a user cannot forge the words of another.
pub fn clean(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    text.chars().filter(|&char| !is_unsafe(char)).collect()
}

fn is_unsafe(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Checks the name of a user or a room; the error says why it is invalid.
pub fn check_name(name: &str) -> Result<(), &'static str> {
    let length = name.chars().count();
    if length == 0 || length > MAX_NAME {
        return Err("a name has 1 to 20 characters");
    }
    let is_allowed = |char: char| char.is_alphanumeric() || matches!(char, '-' | '_' | '.');
    if !name.chars().all(is_allowed) {
        return Err("a name has letters, digits, - _ and . only");
    }
    Ok(())
}

/// Checks whether a user may take this name; the error says why not.
pub fn check_nick(name: &str) -> Result<(), &'static str> {
    check_name(name)?;
    if name.to_lowercase().starts_with(GIVEN) {
        return Err("names like guest1 are reserved");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_command_is_said() {
        assert_eq!(Request::read(" hello, you "), Request::Say("hello, you"));
        assert_eq!(Request::read("  "), Request::Nothing);
    }

    #[test]
    fn commands_are_read_with_what_they_need() {
        assert_eq!(Request::read("/nick  zoë "), Request::Nick("zoë"));
        assert_eq!(Request::read("/nick"), Request::Nick(""));
        assert_eq!(Request::read("/join tea"), Request::Join("tea"));
        assert_eq!(Request::read("/who"), Request::Who);
        assert_eq!(Request::read("/quit now"), Request::Quit);
        assert_eq!(Request::read("/dance"), Request::Unknown("/dance"));
    }

    #[test]
    fn nothing_that_drives_a_terminal_stays() {
        assert_eq!(clean(b"\x1b[2Jhi\x07\r\x7f \xc2\x9b0m"), "[2Jhi 0m");
        assert_eq!(clean("a\u{202e}b\u{2028}c".as_bytes()), "abc");
        assert_eq!(clean("naïve €5 👋".as_bytes()), "naïve €5 👋");
        assert_eq!(clean(b"caf\xe9"), "caf\u{fffd}");
    }

    #[test]
    fn names_are_short_and_plain() {
        for good in ["a", "Zoë", "x.y-z_1", &"n".repeat(20)] {
            assert_eq!(check_nick(good), Ok(()), "{good}");
        }
        for bad in ["", "a b", "*", "a:", &"n".repeat(21), "Guest7"] {
            assert!(check_nick(bad).is_err(), "{bad}");
        }
    }
}
