//! Plays an exchange in every way that must not change the replies.

use super::mismatch::Mismatch;
use super::play::play;
use super::run::Run;
use super::{Action, Exchange, Step};
use connection::clock::Clock;
use connection::handler::Handler;
use connection::task::ConnectionSettings;
use std::time::Duration;
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;

/// The most runs with a cut for one exchange, each with one cut. Of more possible cuts, this many
/// are chosen evenly.
pub const MAX_CUTS: usize = 1000;

/// The most bytes sent in all runs with a cut: a long exchange gets fewer cuts, so that it does not
/// take minutes.
pub const MAX_REPLAYED_BYTES: usize = 8 << 20;

/// How an exchange is rehearsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Whether sends are also joined and cut: see
    /// [`Exchanges::may_cut`](super::Exchanges::may_cut).
    pub cuts: bool,
    /// The time limit of a step.
    pub step_limit: Duration,
}

/// The result of a rehearsal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rehearsal {
    /// How often the exchange was played from the start.
    pub runs: usize,
    /// Cuts that were skipped, because there were too many.
    pub uncut: usize,
}

/// Plays `exchange` as written; with a client that half-closes before reading (unless the exchange
/// says how the connection ends); with consecutive sends joined; byte by byte; and cut in each
/// position. Each run gets a `fresh` handler, which follows the run's clock, and the first failure
/// stops. Only the first run is logged.
pub async fn rehearse<H: Handler>(
    fresh: impl Fn(&Clock) -> H,
    exchange: &Exchange,
    plan: Plan,
    settings: &ConnectionSettings,
) -> Result<Rehearsal, Mismatch> {
    let (runs, uncut) = runs(exchange, plan.cuts);
    for run in &runs {
        let clock = Clock::of_a_rehearsal();
        let handler = fresh(&clock);
        let played = play(&handler, exchange, *run, settings, &clock, plan.step_limit);
        match run {
            Run::AsWritten => played.await?,
            _ => played.with_subscriber(NoSubscriber::new()).await?,
        }
    }
    let runs = runs.len();
    Ok(Rehearsal { runs, uncut })
}

fn runs(exchange: &Exchange, cuts: bool) -> (Vec<Run>, usize) {
    let mut runs = vec![Run::AsWritten];
    if !exchange.ends_itself() {
        runs.push(Run::HalfClosed);
    }
    let mut offsets = Vec::new();
    let mut sent_bytes = 0;
    for step in exchange.steps.iter().filter(|_| cuts) {
        if let Action::Send(bytes) = &step.action {
            let line = step.line;
            sent_bytes += bytes.len();
            offsets.extend((1..bytes.len()).map(|offset| Run::CutAt { line, offset }));
        }
    }
    let are_sends = |pair: &[Step]| {
        pair.iter()
            .all(|step| matches!(step.action, Action::Send(_)))
    };
    if cuts && exchange.steps.windows(2).any(are_sends) {
        runs.push(Run::Joined);
    }
    if !offsets.is_empty() {
        runs.push(Run::ByteByByte);
    }
    let affordable = MAX_CUTS.min(MAX_REPLAYED_BYTES / sent_bytes.max(1));
    let chosen = offsets.len().min(affordable);
    runs.extend((0..chosen).map(|index| offsets[index * offsets.len() / chosen]));
    (runs, offsets.len() - chosen)
}

#[cfg(test)]
mod tests;
