//! What a line asks for.

/// A request of a client.
#[derive(Debug, PartialEq, Eq)]
pub enum Command<'a> {
    Add(&'a str),
    Done(usize),
    List,
    Help,
    Quit,
}

impl<'a> Command<'a> {
    /// Reads a line: a word in any case, and what follows it. The error is for the client.
    pub fn read(line: &'a str) -> Result<Self, String> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        match word.to_ascii_uppercase().as_str() {
            "ADD" if rest.is_empty() => Err("ADD needs a text".to_owned()),
            "ADD" => Ok(Command::Add(rest)),
            "DONE" => {
                let number = rest
                    .parse()
                    .map_err(|_| "DONE needs the number of a task")?;
                Ok(Command::Done(number))
            }
            "LIST" => Ok(Command::List),
            "HELP" => Ok(Command::Help),
            "QUIT" => Ok(Command::Quit),
            _ => Err(format!("unknown command `{word}`; HELP lists them")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_word_and_the_rest() {
        assert_eq!(
            Command::read("ADD  buy milk "),
            Ok(Command::Add("buy milk"))
        );
        assert_eq!(Command::read("done 3"), Ok(Command::Done(3)));
        assert_eq!(Command::read("List"), Ok(Command::List));
        for wrong in ["", "ADD", "ADD  ", "DONE", "DONE -1", "SING"] {
            assert!(Command::read(wrong).is_err(), "{wrong}");
        }
    }
}
