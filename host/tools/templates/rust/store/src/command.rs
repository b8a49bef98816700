//! What a line asks for.

/// A request of a client.
#[derive(Debug, PartialEq, Eq)]
pub enum Command<'a> {
    Get(&'a str),
    Set(&'a str, &'a str),
    Add(&'a str, i64),
    Delete(&'a str),
    Keys,
    Help,
}

impl<'a> Command<'a> {
    /// Reads a line. The error is for the client.
    pub fn read(line: &'a str) -> Result<Self, String> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (key, value) = rest.split_once(' ').unwrap_or((rest, ""));
        let word = word.to_ascii_uppercase();
        if matches!(&*word, "GET" | "SET" | "ADD" | "DELETE") && key.is_empty() {
            return Err(format!("{word} needs a key"));
        }
        match &*word {
            "GET" => Ok(Command::Get(key)),
            "SET" => Ok(Command::Set(key, value)),
            "ADD" => {
                let number = value
                    .parse()
                    .map_err(|_| "ADD needs a key and a whole number")?;
                Ok(Command::Add(key, number))
            }
            "DELETE" => Ok(Command::Delete(key)),
            "KEYS" => Ok(Command::Keys),
            "HELP" => Ok(Command::Help),
            _ => Err(format!("unknown command `{word}`; HELP lists them")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_word_a_key_and_a_value() {
        assert_eq!(Command::read("SET a b c"), Ok(Command::Set("a", "b c")));
        assert_eq!(Command::read("get a"), Ok(Command::Get("a")));
        assert_eq!(Command::read("ADD a -3"), Ok(Command::Add("a", -3)));
        for wrong in ["", "GET", "SET ", "ADD a", "ADD a 1.5", "SING a"] {
            assert!(Command::read(wrong).is_err(), "{wrong}");
        }
    }
}
