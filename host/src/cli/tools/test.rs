//! `echo-host test`.

use super::junit::{self, Case, Suite};
use crate::cli::handler::{serving, small_engine};
use crate::cli::log;
use crate::cli::options::{Given, choice};
use crate::cli::output;
use anyhow::Context;
use clap::Args;
use config::{ServeConfig, Time};
use connection::handler::Handler;
use connection::task::ConnectionSettings;
use daemon::exchange_file;
use engine::{HandlerKind, Isolation, LoadedHandler};
use exchange::{Exchange, Exchanges, Mismatch, Plan, Rehearsal, rehearse};
use framing::Framing;
use keyvalue::Store;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;
use tokio::runtime::Builder;
use tools::project::Project;

/// Play recorded exchanges with a handler, without sockets
///
/// In a directory that `new` created, no argument is needed: the handler is built first.
///
/// Plays each exchange as written; with a client that half-closes before reading; with lines
/// joined; byte by byte; and cut in two after every byte. The replies must always be the same.
/// Prints differences, and exits with 65 if there are any.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct TestArgs {
    /// Component in binary (.wasm) or text (.wat) form [default: that of handler.toml, built first]
    #[arg(requires = "files")]
    handler: Option<PathBuf>,
    /// Play these files of recorded exchanges [default: those in handler.toml]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Framing of messages [default: that of the file, of handler.toml, of the handler, or chunks]
    #[arg(long, value_name = "FRAMING")]
    framing: Option<Framing>,
    /// What shares an instance of the handler [default: that of handler.toml, or connection]
    #[arg(long, value_name = "WHAT", value_parser = choice::<Isolation>())]
    isolation: Option<Isolation>,
    /// Neither cut nor join what the client sends
    #[arg(long)]
    no_cuts: bool,
    /// Time limit of one step
    #[arg(long, value_name = "TIME", default_value = "10s")]
    step_timeout: Time,
    /// Write results to this file as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    #[command(flatten)]
    given: Given<false>,
}

const EXAMPLES: &str = "\
A file, such as greeting.exchange:
  # What the client sends (>) and must receive (<), line by line.
  == a greeting
  > Hello, server!
  < Hello, client!

  == other kinds of lines
  > no line ending follows \\
  >hex 0d 0a ff
  <~ a line with * gaps
  >eof
  <eof

In text \\r \\n \\t \\0 \\\\ \\* \\xHH are single bytes. `>eof`: the client shuts down sending. `<eof`: the
host closes. Before the first exchange: `framing: lines`, `ending: crlf`, `cuts: no`.

Examples:
  echo-host test                                 in a directory that `new` created
  echo-host test calc.wasm calc.exchange
  echo-host test kv.wasm tests/*.exchange --isolation shared --junit results.xml";

/// A handler did not reply as recorded.
#[derive(Debug, thiserror::Error)]
#[error("{failed} of {played} exchanges did not match")]
pub struct OtherwiseError {
    failed: usize,
    played: usize,
}

pub fn run(args: &TestArgs) -> anyhow::Result<()> {
    log::start(&args.given.host);
    let subject = args.subject()?;
    // All files are read before any is played: an error in the last one shows at once.
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
        0 if played == 1 => print("1 exchange matched\n"),
        0 => print(&format!("{played} exchanges matched\n")),
        failed => Err(OtherwiseError { failed, played }.into()),
    }
}

/// The handler under test and its exchanges.
struct Subject {
    handler: PathBuf,
    files: Vec<PathBuf>,
    framing: Option<Framing>,
    isolation: Isolation,
}

impl TestArgs {
    /// The named handler, or that of this directory, freshly built.
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

    /// Plays the exchanges of one file and prints the results.
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
            HandlerKind::Program => file.cuts.unwrap_or(true),
            _ => file.may_cut(&framing),
        };
        let plan = Plan {
            cuts: cuts && !self.no_cuts,
            step_limit: self.step_timeout.0,
        };
        let serving = || handler.serving(subject.isolation, &Store::scratch());
        let settings = ConnectionSettings {
            framing,
            limits,
            converses: serving().converses(),
        };
        let mut cases = Vec::new();
        for exchange in &file.exchanges {
            let begin = Instant::now();
            let played = rehearse(serving, exchange, plan, &settings).await;
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

    /// The configuration that `serve` would use, so that the same rules apply.
    fn config(&self, subject: &Subject, framing: Option<Framing>) -> anyhow::Result<ServeConfig> {
        Ok(ServeConfig {
            framing,
            isolation: subject.isolation,
            // The time limit of a step gives the better error.
            idle_timeout: None,
            ..serving(&self.given, &subject.handler)?
        })
    }
}

/// The result of an exchange: a line, and the differences below it.
fn report(
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

fn print(text: &str) -> anyhow::Result<()> {
    output::print(text, "the results")
}
