//! `echo-host test`.

use super::junit::{self, Case, Suite};
use crate::cli::handler::{serving, small_engine};
use crate::cli::log;
use crate::cli::options::{Given, choice};
use anyhow::Context;
use clap::Args;
use connection::exchange::{Exchange, Exchanges, Mismatch, Plan, Rehearsal, rehearse};
use connection::framing::Framing;
use connection::handler::Handler;
use connection::task::Terms;
use daemon::config::{ConfigError, ServeConfig, Time};
use daemon::exchange_file;
use engine::{Isolation, LoadedHandler, Tier};
use keyvalue::Store;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;
use tokio::runtime::Builder;
use tools::project::Project;

/// Play recorded exchanges with a handler, without any socket
///
/// In a handler's folder, as `new` writes it, nothing has to be named: the handler is built first.
///
/// Each exchange is played as written, with a client that finishes before it has read the replies, with lines
/// sent together, byte by byte, and cut in two after every byte; each time the same must come back. Prints what differs, and exits
/// with 65 if anything does.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct TestArgs {
    /// The handler: a component in binary (.wasm) or text (.wat) form [default: that of this folder's handler.toml,
    /// which is built first]
    #[arg(requires = "files")]
    handler: Option<PathBuf>,
    /// Files of recorded exchanges [default: those that handler.toml names]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How messages are cut out of the stream [default: what the file says, or handler.toml, or the handler declares, or
    /// chunks]
    #[arg(long, value_name = "FRAMING")]
    framing: Option<Framing>,
    /// What shares an instance of the handler [default: what handler.toml says, or connection]
    #[arg(long, value_name = "WHAT", value_parser = choice::<Isolation>())]
    isolation: Option<Isolation>,
    /// Neither cut nor join what the client sends
    #[arg(long)]
    no_cuts: bool,
    /// How long one step may take
    #[arg(long, value_name = "TIME", default_value = "10s")]
    step_timeout: Time,
    /// Write the results here too, as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    #[command(flatten)]
    given: Given<false>,
}

const EXAMPLES: &str = "\
A file, such as greeting.exchange:
  # What the client sends (>) and what must come back (<), line by line.
  == a greeting
  > Hello, server!
  < Hello, client!

  == what else a line can say
  > no line ending follows \\
  >hex 0d 0a ff
  <~ a line with * gaps
  >eof
  <eof

In text \\r \\n \\t \\0 \\\\ \\* \\xHH are single bytes. `>eof`: the client has finished sending. `<eof`: the
host closes. Before the first exchange: `framing: lines`, `ending: crlf`, `cuts: no`.

Examples:
  echo-host test                                 in a folder that `new` wrote
  echo-host test calc.wasm calc.exchange
  echo-host test kv.wasm tests/*.exchange --isolation shared --junit results.xml";

/// A handler did not answer as recorded.
#[derive(Debug, thiserror::Error)]
#[error("{failed} of {played} exchanges went otherwise than recorded")]
pub struct OtherwiseError {
    failed: usize,
    played: usize,
}

pub fn run(args: &TestArgs) -> anyhow::Result<()> {
    log::start(&args.given.host);
    let subject = args.subject()?;
    // All of them before any is played: a mistake in the last one is not found after minutes.
    let files = subject
        .files
        .iter()
        .map(|path| Ok((path.as_path(), exchange_file::read(path)?)))
        .collect::<Result<Vec<_>, exchange_file::FileError>>()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let suites = runtime.block_on(async {
        let config = args.config(&subject, None)?;
        config.grants.check()?;
        let engine = small_engine(&args.given)?;
        let loading = engine.load(
            &config.handler,
            &config.trust,
            &config.grants,
            config.guest_limits,
        );
        let handler = loading.await?;
        let mut suites = Vec::new();
        for (path, file) in &files {
            suites.push(args.play(&subject, &handler, path, file).await?);
        }
        anyhow::Ok(suites)
    })?;
    if let Some(path) = &args.junit {
        fs::write(path, junit::document(&suites))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let cases = || suites.iter().flat_map(|suite| &suite.cases);
    let played = cases().count();
    match cases().filter(|case| case.failure.is_some()).count() {
        0 if played == 1 => print("1 exchange went as recorded\n"),
        0 => print(&format!("{played} exchanges went as recorded\n")),
        failed => Err(OtherwiseError { failed, played }.into()),
    }
}

/// What is tested, and with what.
struct Subject {
    handler: PathBuf,
    files: Vec<PathBuf>,
    framing: Option<Framing>,
    isolation: Isolation,
}

impl TestArgs {
    /// The handler that was named, or this folder's, built anew.
    fn subject(&self) -> anyhow::Result<Subject> {
        let isolation = self.isolation;
        if let Some(handler) = &self.handler {
            return Ok(Subject {
                handler: handler.clone(),
                files: self.files.clone(),
                framing: None,
                isolation: isolation.unwrap_or_else(|| self.given.service.isolation()),
            });
        }
        let project = Project::read(Path::new("."))?;
        project.build()?;
        Ok(Subject {
            handler: project.output,
            files: project.exchanges,
            framing: project.framing,
            isolation: isolation.unwrap_or(project.isolation),
        })
    }

    /// Plays the exchanges of one file and prints how they went.
    async fn play(
        &self,
        subject: &Subject,
        handler: &LoadedHandler,
        path: &Path,
        file: &Exchanges,
    ) -> anyhow::Result<Suite> {
        let framing = self.framing.as_ref().or(file.framing.as_ref());
        let framing = framing.or(subject.framing.as_ref()).cloned();
        let (framing, limits) = self.config(subject, framing)?.connection(handler)?;
        // A program reads a stream, which has no chunks.
        let cuts = match handler.tier() {
            Tier::Program => file.cuts.unwrap_or(true),
            _ => file.may_cut(&framing),
        };
        let plan = Plan {
            cuts: cuts && !self.no_cuts,
            step_limit: self.step_timeout.0,
        };
        let serving = || handler.serving(subject.isolation, &Store::scratch());
        let terms = Terms {
            framing,
            limits,
            converses: serving().converses(),
        };
        let mut cases = Vec::new();
        for exchange in &file.exchanges {
            let begin = Instant::now();
            let played = rehearse(serving, exchange, plan, &terms).await;
            print(&report(path, exchange, plan, &played))?;
            cases.push(Case {
                name: exchange.name.clone(),
                time: begin.elapsed(),
                failure: played.err().map(|mismatch| {
                    let message = format!("line {}: {mismatch}", mismatch.line);
                    (message, mismatch.diff)
                }),
            });
        }
        let name = path.display().to_string();
        Ok(Suite { name, cases })
    }

    /// What `serve` would be told, so that the same rules hold here as there.
    fn config(
        &self,
        subject: &Subject,
        framing: Option<Framing>,
    ) -> Result<ServeConfig, ConfigError> {
        Ok(ServeConfig {
            framing,
            isolation: subject.isolation,
            // A step's own time limit says more.
            idle_timeout: None,
            ..serving(&self.given, &subject.handler)?
        })
    }
}

/// How an exchange went: a line, and below it what differed.
fn report(
    path: &Path,
    exchange: &Exchange,
    plan: Plan,
    played: &Result<Rehearsal, Mismatch>,
) -> String {
    let place = path.display();
    let name = &exchange.name;
    match played {
        Ok(Rehearsal { runs, uncut }) => {
            let cuts = match (plan.cuts, uncut) {
                (false, _) => ", not cut".to_owned(),
                (true, 0) => String::new(),
                (true, uncut) => format!(", {uncut} further places not cut"),
            };
            let times = if *runs == 1 { "run" } else { "runs" };
            format!("ok    {place}: {name} ({runs} {times}{cuts})\n")
        }
        Err(mismatch) => format!(
            "FAIL  {place}: {name}\n{place}:{}: {mismatch}\n{}\n",
            mismatch.line, mismatch.diff
        ),
    }
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .context("cannot print the results")
}
