//! Recorded exchanges: what a client sends and what must come back, in a file that people write by hand,
//! and what plays them against a handler without a socket.
//!
//! ```text
//! parse -> Exchanges -> rehearsal -> play -> wire     every way of cutting, one run, the bytes
//! ```
//!
//! # The format
//!
//! A file `*.exchange` is UTF-8 text, a line at a time:
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
//! | `== NAME` | an exchange begins: a connection of its own. One without a title is called `untitled` |
//! | `> TEXT` | the client sends this text and a line ending |
//! | `< TEXT` | exactly this text and a line ending must come |
//! | `<~ TEXT` | a line must come that fits; each `*` stands for anything within it |
//! | `>hex 00 ff`, `<hex 00 ff` | the same with bytes, and without a line ending |
//! | `>eof` | the client has finished sending; it still reads, and the host must close when all has come |
//! | `<eof` | the host must close the connection, by FIN or by a reset |
//! | `# TEXT` | a comment |
//!
//! In text, `\r`, `\n`, `\t`, `\0`, `\\`, `\*` and `\xHH` stand for single bytes. A lone `\` at the end of the
//! line stands for "no line ending here"; it also shows a blank before it, as blanks at the end of a line are
//! refused. What comes is compared as one stream, wherever the host's writes cut it.
//!
//! A connection that ends by a trap, a timeout or a failure of the handler's own has never ended as it should,
//! whatever the exchange says.
//!
//! Settings stand before the first exchange and hold for the whole file:
//!
//! | setting | values | default |
//! |---|---|---|
//! | `framing` | as in `--framing`, which overrides it | what the handler declares, or `chunks` |
//! | `ending` | `lf`, `crlf`: what ends a line of text, both ways | `lf` |
//! | `cuts` | `yes`, `no`: whether sends may be joined and cut anywhere without changing the replies | `no` if the framing is `chunks`, else `yes` |
//!
//! A file has at most [`MAX_FILE_BYTES`].

mod client;
mod diff;
mod fault;
#[cfg(any(test, fuzzing))]
pub(crate) mod invariants;
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

use crate::framing::Framing;
use bytes::Bytes;

/// The largest file of exchanges, in bytes.
pub const MAX_FILE_BYTES: usize = 1 << 20;

/// The exchange that stands before the first title.
pub const UNTITLED: &str = "untitled";

/// A file of exchanges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchanges {
    /// How messages are cut out of what the client sends, if the file says so.
    pub framing: Option<Framing>,
    /// What ends a line of text.
    pub ending: Ending,
    /// Whether sends may be joined and cut anywhere, if the file says so.
    pub cuts: Option<bool>,
    /// At least one, in the order of the file; no two have the same name.
    pub exchanges: Vec<Exchange>,
}

impl Exchanges {
    /// Whether the handler must answer alike however sends are cut. With chunks, which mean that very
    /// cutting, only a file can say so: its handler puts messages together by itself.
    pub fn may_cut(&self, framing: &Framing) -> bool {
        self.cuts.unwrap_or(*framing != Framing::Chunks)
    }
}

/// What ends a line of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// LF.
    #[default]
    Lf,
    /// CR LF.
    CrLf,
}

impl Ending {
    /// The ending itself.
    pub fn as_bytes(self) -> &'static [u8] {
        match self {
            Ending::Lf => b"\n",
            Ending::CrLf => b"\r\n",
        }
    }
}

/// What goes back and forth on one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Its title.
    pub name: String,
    /// The line where it begins, counted from 1.
    pub line: usize,
    /// What ends a line of text, for showing its steps as the file has them.
    pub ending: Ending,
    /// At least one. Nothing is sent after [`Action::Finish`], and nothing at all happens after
    /// [`Action::Closed`].
    pub steps: Vec<Step>,
}

/// One line of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where it stands in the file, counted from 1.
    pub line: usize,
    /// What happens.
    pub action: Action,
}

/// What happens in a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The client sends these bytes, at least one.
    Send(Bytes),
    /// The client finishes sending.
    Finish,
    /// These bytes must come, at least one.
    Expect(Bytes),
    /// A line that fits must come.
    ExpectLine(Pattern),
    /// The host must close the connection.
    Closed,
}

impl Exchange {
    /// Whether it says itself how the connection ends.
    pub fn ends_itself(&self) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(step.action, Action::Finish | Action::Closed))
    }
}
