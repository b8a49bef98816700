//! The variants of playing an exchange.

use super::{Action, Exchange, Step};
use bytes::Bytes;
use std::fmt;

/// How an exchange is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// Each send arrives whole.
    AsWritten,
    /// The client shuts down sending right after the last send, before reading the replies.
    HalfClosed,
    /// Consecutive sends arrive as one. The client shuts down sending at the end.
    Joined,
    /// Each byte of each send arrives alone. The client shuts down sending at the end.
    ByteByByte,
    /// One send arrives in two pieces. The client shuts down sending at the end.
    CutAt {
        /// The line of the send.
        line: usize,
        /// The length of the first piece.
        offset: usize,
    },
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Run::AsWritten => write!(f, "as written"),
            Run::HalfClosed => write!(f, "half-closed after the last send"),
            Run::Joined => write!(f, "consecutive sends joined"),
            Run::ByteByByte => write!(f, "sent byte by byte"),
            Run::CutAt { line, offset } => write!(f, "line {line} cut after byte {offset}"),
        }
    }
}

impl Run {
    /// The steps of an exchange in this run. If the client shuts down sending, the host must
    /// finally close, whether or not the exchange says so.
    pub fn steps(self, exchange: &Exchange) -> Vec<Step> {
        let mut steps = match self {
            Run::Joined => joined(&exchange.steps),
            _ => exchange.steps.clone(),
        };
        let mut finishes = exchange.ends_itself();
        if !finishes && self != Run::AsWritten {
            let is_send = |step: &Step| matches!(step.action, Action::Send(_));
            let at = match self {
                Run::HalfClosed => steps.iter().rposition(is_send).map_or(0, |last| last + 1),
                _ => steps.len(),
            };
            let line = steps[at.saturating_sub(1)].line;
            let action = Action::Finish;
            steps.insert(at, Step { line, action });
            finishes = true;
        }
        match steps.last() {
            Some(last) if finishes && last.action != Action::Closed => {
                let (line, action) = (last.line, Action::Closed);
                steps.push(Step { line, action });
            }
            _ => {}
        }
        steps
    }

    /// The pieces in which a send arrives.
    pub fn pieces(self, line: usize, bytes: &Bytes) -> Vec<Bytes> {
        match self {
            Run::ByteByByte => (0..bytes.len()).map(|at| bytes.slice(at..=at)).collect(),
            Run::CutAt { line: cut, offset } if cut == line => {
                vec![bytes.slice(..offset), bytes.slice(offset..)]
            }
            _ => vec![bytes.clone()],
        }
    }
}

/// The steps with consecutive sends joined at the position of the first.
fn joined(steps: &[Step]) -> Vec<Step> {
    let sent = |step: &Step| match &step.action {
        Action::Send(bytes) => Some(bytes.clone()),
        _ => None,
    };
    let sends = steps.chunk_by(|before, after| sent(before).is_some() && sent(after).is_some());
    let join = |sends: &[Step]| match sends {
        [first, _, ..] => Step {
            line: first.line,
            action: Action::Send(sends.iter().filter_map(sent).flatten().collect()),
        },
        alone => alone[0].clone(),
    };
    sends.map(join).collect()
}
