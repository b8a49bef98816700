//! Mismatches between a handler's replies and an exchange.

use super::run::Run;
use std::time::Duration;

/// A handler did not reply as recorded.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{run}: {problem}{}", because(.cause.as_deref()))]
pub struct Mismatch {
    /// The line of the step that failed, counted from 1.
    pub line: usize,
    /// How the exchange was played.
    pub run: Run,
    /// The kind of mismatch.
    pub problem: Problem,
    /// The error of the connection, if it explains more.
    pub cause: Option<String>,
    /// The preceding, missing (`-`) and unexpected (`+`) lines, in the notation of files. Ends with
    /// a line feed, unless empty.
    pub diff: String,
}

/// The kind of mismatch.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Problem {
    #[error("unexpected bytes")]
    Different,
    #[error("more bytes than expected")]
    Excess,
    #[error("nothing more arrived within {0:?}")]
    Silent(Duration),
    #[error("nothing more arrived: the handler waits for the client")]
    Stuck,
    #[error("the connection was not closed within {0:?}")]
    NotClosed(Duration),
    #[error("the connection was not closed: the handler waits for the client")]
    StuckOpen,
    #[error(
        "only line endings are missing; hint: end each reply with \\n, or each line of the file with \
         ` \\`"
    )]
    NoLineEndings,
    #[error(
        "only line endings differ; hint: `ending: crlf` or `ending: lf` at the top of the file"
    )]
    OtherLineEndings,
    #[error("the connection ended early")]
    Ended,
    #[error("all expected bytes arrived, but the connection ended with an error")]
    Failed,
}

fn because(cause: Option<&str>) -> String {
    cause.map_or_else(String::new, |cause| format!(": {cause}"))
}
