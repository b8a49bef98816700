//! Prints exchanges in the notation of files.

use super::notation::{is_text, write_gaps, write_hex, write_text};
use super::{Action, Exchanges, LineEnding};
use std::fmt;

impl fmt::Display for Exchanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(framing) = &self.framing {
            writeln!(f, "framing: {framing}")?;
        }
        if self.ending == LineEnding::CrLf {
            writeln!(f, "ending: crlf")?;
        }
        if let Some(cuts) = self.cuts {
            writeln!(f, "cuts: {}", if cuts { "yes" } else { "no" })?;
        }
        for (index, exchange) in self.exchanges.iter().enumerate() {
            let blank = if index > 0 { "\n" } else { "" };
            writeln!(f, "{blank}== {}", exchange.name)?;
            for step in &exchange.steps {
                writeln!(f, "{}", step.action.line(self.ending))?;
            }
        }
        Ok(())
    }
}

impl Action {
    /// The line for this action in a file with this ending.
    pub fn line(&self, ending: LineEnding) -> String {
        match self {
            Action::Send(bytes) => bytes_line(">", bytes, ending),
            Action::Finish => ">eof".to_owned(),
            Action::Expect(bytes) => bytes_line("<", bytes, ending),
            Action::ExpectLine(pattern) => write_gaps("<~", &pattern.parts),
            Action::Closed => "<eof".to_owned(),
        }
    }
}

/// Bytes as a line: as text if they look like text.
pub fn bytes_line(sign: &str, bytes: &[u8], ending: LineEnding) -> String {
    if is_text(bytes) {
        write_text(sign, bytes, ending)
    } else {
        write_hex(sign, bytes)
    }
}
