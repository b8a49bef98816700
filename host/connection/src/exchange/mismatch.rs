//! How a handler's answers differ from those of an exchange.

use super::run::Run;
use std::time::Duration;

/// An exchange went otherwise than recorded.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{run}: {problem}{}", because(.cause.as_deref()))]
pub struct Mismatch {
    /// The line of the step that failed, counted from 1.
    pub line: usize,
    /// How the exchange was played.
    pub run: Run,
    /// What was wrong.
    pub problem: Problem,
    /// What the connection's end says about why.
    pub cause: Option<String>,
    /// What went before, what was missing (`-`) and what came instead (`+`), a line each, as files write
    /// them. Ends in a line feed, unless it is empty.
    pub diff: String,
}

/// What was wrong with what came.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Problem {
    #[error("something else came")]
    Different,
    #[error("more came than was expected")]
    Excess,
    #[error("nothing more came within {0:?}")]
    Silent(Duration),
    #[error("the connection was not closed within {0:?}")]
    NotClosed(Duration),
    #[error("the connection ended early")]
    Ended,
    #[error("all came, but the connection ended badly")]
    Failed,
}

fn because(cause: Option<&str>) -> String {
    cause.map_or_else(String::new, |cause| format!(": {cause}"))
}
