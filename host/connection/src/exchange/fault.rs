//! What can be wrong with the text of a file of exchanges.

use crate::framing::InvalidFraming;

/// Where the text of a file of exchanges is wrong, and how.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{line}:{column}: {fault}")]
pub struct ParseError {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with the text of a file of exchanges.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Fault {
    #[error("this is not UTF-8: write such a byte as \\xHH, or the whole line as `>hex` or `<hex`")]
    NotUtf8,
    #[error(
        "expected `> ` (what the client sends), `< ` (what must come), `== ` (a title) or `#` (a comment)"
    )]
    UnknownLine,
    #[error(
        "`{sign}` needs a blank before the text: `{sign} {text}`; without one there are `{sign}hex` and `{sign}eof`"
    )]
    NoBlank {
        /// `>`, `<` or `<~`.
        sign: &'static str,
        /// What follows it.
        text: String,
    },
    #[error("`{0}` is no setting: there are `framing`, `ending` and `cuts`")]
    UnknownSetting(String),
    #[error("a setting stands before the first exchange; it holds for the whole file")]
    LateSetting,
    #[error("this setting was made before")]
    SettingTwice,
    #[error(transparent)]
    Framing(#[from] InvalidFraming),
    #[error("expected `lf` or `crlf`")]
    Ending,
    #[error("expected `yes` or `no`")]
    Cuts,
    #[error("a title is missing: `== what is shown here`")]
    NoTitle,
    #[error("the exchange in line {0} has the same title")]
    TitleTwice(usize),
    #[error(
        "an exchange without a step: say what the client sends (`> `) or what must come (`< `)"
    )]
    NoSteps,
    #[error("there is no exchange here: say what the client sends (`> `) or what must come (`< `)")]
    NoExchange,
    #[error("`{0}` stands for no byte: there are \\r, \\n, \\t, \\0, \\\\, \\* and \\xHH")]
    UnknownEscape(String),
    #[error("expected two hexadecimal digits for each byte, as in `>hex 00 ff`")]
    Hex,
    #[error("a line that sends or expects nothing")]
    NoBytes,
    #[error("blanks at the end of a line are easily lost: write the last one as \\x20")]
    LastBlank,
    #[error("`<~` stands for one whole line: leave the last `\\` away")]
    UnendedPattern,
    #[error("`<~` stands for one line: write another `<~` for the next")]
    LongPattern,
    #[error("nothing is sent after `>eof` in line {0}")]
    AfterFinish(usize),
    #[error("nothing happens after `<eof` in line {0}")]
    AfterClosed(usize),
}
