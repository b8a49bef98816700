//! Syntax errors of a file of exchanges.

use framing::InvalidFraming;

/// A syntax error and its position.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{line}:{column}: {fault}")]
pub struct ParseError {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// The fault.
    pub fault: Fault,
}

/// What is wrong with a line.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Fault {
    #[error("not UTF-8: write the byte as \\xHH, or the whole line as `>hex` or `<hex`")]
    NotUtf8,
    #[error(
        "expected `> ` (the client sends), `< ` (the client must receive), `== ` (a title) or `#` \
         (a comment)"
    )]
    UnknownLine,
    #[error(
        "`{sign}` needs a space before the text: `{sign} {text}`; only `{sign}hex` and \
         `{sign}eof` have none"
    )]
    NoBlank {
        /// `>`, `<` or `<~`.
        sign: &'static str,
        /// The text after it.
        text: String,
    },
    #[error("unknown setting `{0}`: expected `framing`, `ending` or `cuts`")]
    UnknownSetting(String),
    #[error("a setting applies to the whole file: move it before the first exchange")]
    LateSetting,
    #[error("this setting appears twice")]
    SettingTwice,
    #[error(transparent)]
    Framing(#[from] InvalidFraming),
    #[error("expected `lf` or `crlf`")]
    LineEnding,
    #[error("expected `yes` or `no`")]
    Cuts,
    #[error("missing title: expected `== TITLE`")]
    NoTitle,
    #[error("the exchange in line {0} has the same title")]
    TitleTwice(usize),
    #[error("an exchange without a step: add what the client sends (`> `) or must receive (`< `)")]
    NoSteps,
    #[error("no exchange in this file: add what the client sends (`> `) or must receive (`< `)")]
    NoExchange,
    #[error("unknown escape `{0}`: expected \\r, \\n, \\t, \\0, \\\\, \\* or \\xHH")]
    UnknownEscape(String),
    #[error("expected two hexadecimal digits for each byte, such as `>hex 00 ff`")]
    Hex,
    #[error("this line sends or expects nothing")]
    NoBytes,
    #[error("trailing space: write it as \\x20")]
    LastBlank,
    #[error("`<~` matches one whole line: omit the last `\\`")]
    UnendedPattern,
    #[error("`<~` matches one line: write another `<~` for the next")]
    LongPattern,
    #[error("the client cannot send after `>eof` in line {0}")]
    AfterFinish(usize),
    #[error("no step can follow `<eof` in line {0}")]
    AfterClosed(usize),
}
