//! Recorded exchanges: what a client sends and must receive, in hand-written files, and the player
//! that runs them against a handler without a socket.
//!
//! ```text
//! parse -> Exchanges -> rehearsal -> play -> wire     all runs, one run, the bytes
//! ```
//!
//! # The format
//!
//! A file `*.exchange` is UTF-8 text, line by line:
//!
//! ```text
//! # Comments and empty lines are for people.
//! framing: lines
//!
//! == sums and mistakes
//! < Type an expression, help or quit.
//! < > \
//! > 6 * 7
//! < 42
//! < > \
//! > quit
//! < Goodbye.
//! <eof
//! ```
//!
//! | line | meaning |
//! |---|---|
//! | `== NAME` | starts an exchange: one connection. Without a title it is `untitled` |
//! | `> TEXT` | the client sends this text and a line ending |
//! | `< TEXT` | the client must receive exactly this text and a line ending |
//! | `<~ TEXT` | the client must receive a matching line; `*` matches anything |
//! | `>hex 00 ff`, `<hex 00 ff` | the same with bytes, and without a line ending |
//! | `>eof` | the client shuts down sending and still reads; the host must finally close |
//! | `<eof` | the host must close the connection, by FIN or by a reset |
//! | `# TEXT` | a comment |
//!
//! In text, `\r`, `\n`, `\t`, `\0`, `\\`, `\*` and `\xHH` are single bytes. A lone `\` at the end
//! of a line means that no line ending follows; it also protects a space before it, because
//! trailing spaces are refused. Received bytes are compared as one stream, however the host's
//! writes split it.
//!
//! A connection that ends with a trap, a timeout or a failure of the handler always fails, whatever
//! the exchange says.
//!
//! Settings come before the first exchange and apply to the whole file:
//!
//! | setting | values | default |
//! |---|---|---|
//! | `framing` | as in `--framing`, which overrides it | what the handler declares, or `chunks` |
//! | `ending` | `lf`, `crlf`: line ending of text, both ways | `lf` |
//! | `cuts` | `yes`, `no`: whether sends may be joined and cut anywhere | `no` if the framing is `chunks`, else `yes` |
//!
//! A file is at most [`MAX_FILE_BYTES`] long.

#![forbid(unsafe_code)]

mod client;
mod diff;
mod endings;
mod fault;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
#[cfg(any(test, fuzzing))]
mod invariants;
mod mismatch;
mod notation;
mod parse;
mod pattern;
mod play;
mod print;
#[cfg(test)]
mod properties;
mod rehearsal;
mod run;
mod skipping;
#[cfg(test)]
mod tests;
mod wire;

pub use fault::{Fault, ParseError};
pub use mismatch::{Mismatch, Problem};
pub use notation::is_text;
pub use parse::parse;
pub use pattern::Pattern;
pub use play::play;
pub use rehearsal::{MAX_CUTS, MAX_REPLAYED_BYTES, Plan, Rehearsal, rehearse};
pub use run::Run;

use bytes::Bytes;
use framing::Framing;

/// The largest file of exchanges, in bytes.
pub const MAX_FILE_BYTES: usize = 1 << 20;

/// The name of an exchange without a title.
pub const UNTITLED: &str = "untitled";

/// A file of exchanges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchanges {
    /// The framing, if the file sets one.
    pub framing: Option<Framing>,
    /// The line ending of text.
    pub ending: LineEnding,
    /// Whether sends may be joined and cut anywhere, if the file says so.
    pub cuts: Option<bool>,
    /// At least one, in order, with different names.
    pub exchanges: Vec<Exchange>,
}

impl Exchanges {
    /// Whether the replies must not depend on how sends are cut. With chunks, where they normally
    /// do, only the file can say so: its handler joins messages itself.
    pub fn may_cut(&self, framing: &Framing) -> bool {
        self.cuts.unwrap_or(*framing != Framing::Chunks)
    }
}

/// The line ending of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineEnding {
    /// LF.
    #[default]
    Lf,
    /// CR LF.
    CrLf,
}

impl LineEnding {
    /// The bytes of the ending.
    pub fn as_bytes(self) -> &'static [u8] {
        match self {
            LineEnding::Lf => b"\n",
            LineEnding::CrLf => b"\r\n",
        }
    }
}

/// The exchange of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Its title.
    pub name: String,
    /// Its first line, counted from 1.
    pub line: usize,
    /// The line ending, to print its steps as in the file.
    pub ending: LineEnding,
    /// At least one. No send after [`Action::Finish`], and no step after [`Action::Closed`].
    pub steps: Vec<Step>,
}

/// One line of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its line in the file, counted from 1.
    pub line: usize,
    /// Its action.
    pub action: Action,
}

/// The action of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The client sends these bytes, at least one.
    Send(Bytes),
    /// The client shuts down sending.
    Finish,
    /// The client must receive these bytes, at least one.
    Expect(Bytes),
    /// The client must receive a matching line.
    ExpectLine(Pattern),
    /// The host must close the connection.
    Closed,
}

impl Exchange {
    /// Whether the exchange says how the connection ends.
    pub fn ends_itself(&self) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(step.action, Action::Finish | Action::Closed))
    }
}
