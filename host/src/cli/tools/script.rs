//! Recorded exchanges with what is needed to play them, for `echo-host test` and `echo-host dev`.

use config::ServeConfig;
use connection::clock::Clock;
use connection::handler::Handler;
use connection::task::ConnectionSettings;
use engine::{HandlerKind, LoadedHandler};
use exchange::{Exchange, Exchanges, Mismatch, Plan, Rehearsal};
use std::path::Path;
use std::time::Duration;

/// The time limit of a step, unless the user says otherwise, without the time that is skipped.
pub const STEP_TIME: Duration = Duration::from_secs(10);

/// The exchanges of a file, and how they are played.
pub struct Script<'a> {
    pub path: &'a Path,
    pub exchanges: &'a [Exchange],
    pub plan: Plan,
    pub settings: ConnectionSettings,
}

impl<'a> Script<'a> {
    /// How the exchanges of this file are played with a handler that is served so. Sends are cut
    /// and joined if they may be, and `cuts` is true.
    pub fn new(
        path: &'a Path,
        file: &'a Exchanges,
        config: &ServeConfig,
        handler: &LoadedHandler,
        cuts: bool,
        step_limit: Duration,
    ) -> anyhow::Result<Self> {
        let (framing, limits) = config.connection(handler)?;
        // A program reads a stream, which has no chunks.
        let may_cut = match handler.tier() {
            HandlerKind::Program => file.cuts.unwrap_or(true),
            _ => file.may_cut(&framing),
        };
        let serving = handler.rehearsing(config.isolation, &Clock::default());
        let converses = serving.converses();
        Ok(Script {
            path,
            exchanges: &file.exchanges,
            plan: Plan {
                cuts: may_cut && cuts,
                step_limit,
            },
            settings: ConnectionSettings {
                framing,
                limits,
                converses,
            },
        })
    }
}

/// The result of an exchange: a line, and the differences below it.
pub fn report(
    path: &Path,
    exchange: &Exchange,
    plan: Plan,
    played: &Result<Rehearsal, Mismatch>,
) -> String {
    let file = path.display();
    let name = &exchange.name;
    match played {
        Ok(Rehearsal { runs, uncut }) => {
            let cuts = match (plan.cuts, uncut) {
                (false, _) => ", no cuts".to_owned(),
                (true, 0) => String::new(),
                (true, uncut) => format!(", {uncut} more cuts skipped"),
            };
            let times = if *runs == 1 { "run" } else { "runs" };
            format!("ok    {file}: {name} ({runs} {times}{cuts})\n")
        }
        Err(mismatch) => format!(
            "FAIL  {file}: {name}\n{file}:{}: {mismatch}\n{}\n",
            mismatch.line, mismatch.diff
        ),
    }
}
