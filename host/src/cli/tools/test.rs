//! `echo-host test`.

use super::junit::{self, Case, Suite};
use crate::cli::handler::{author_engine, serving};
use crate::cli::log;
use crate::cli::options::{Given, choice};
use crate::cli::output;
use crate::cli::tools::script::{Script, report};
use crate::cli::tools::side_by_side::side_by_side;
use anyhow::Context;
use clap::Args;
use config::{ServeConfig, Time};
use daemon::exchange_file;
use daemon::logs::progress::Progress;
use engine::{Isolation, LoadedHandler};
use exchange::{Exchange, Exchanges, rehearse};
use framing::Framing;
use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;
use tokio::runtime::{Builder, Runtime};
use tools::project::Project;

/// Play recorded exchanges with a handler, without sockets
///
/// In a directory that `new` created, no argument is needed: the handler is built first.
///
/// Plays each exchange as written; with a client that half-closes before reading; with lines
/// joined; byte by byte; and cut in two after every byte. The replies must always be the same.
/// Prints differences, and exits with 65 if there are any. Timers take no time: while nothing else
/// can happen, the time until the next one is skipped.
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
    /// Play only exchanges with this text in their name
    #[arg(short = 'k', long, value_name = "TEXT")]
    filter: Option<String>,
    /// Stop at the first failure
    #[arg(long)]
    fail_fast: bool,
    /// Exchanges played at a time [default: the number of processors]
    #[arg(short, long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Neither cut nor join what the client sends
    #[arg(long)]
    no_cuts: bool,
    /// Time limit of one step, without the time that is skipped
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
  echo-host test -k greeting --fail-fast         what has `greeting` in its name
  echo-host test calc.wasm calc.exchange
  echo-host test kv.wasm tests/*.exchange --isolation shared --junit results.xml";

/// A handler did not reply as recorded.
#[derive(Debug, thiserror::Error)]
#[error("{failed} of {played} exchanges did not match")]
pub struct OtherwiseError {
    failed: usize,
    played: usize,
}

/// No exchange has this text in its name.
#[derive(Debug, thiserror::Error)]
#[error("no exchange has {0:?} in its name (--filter)")]
pub struct NothingToPlay(String);

pub fn run(args: &TestArgs) -> anyhow::Result<()> {
    log::start(&args.given.host);
    let subject = args.subject()?;
    // All files are read before any is played: an error in the last one shows at once.
    let files = subject
        .files
        .iter()
        .map(|path| Ok((path.as_path(), exchange_file::read(path)?)))
        .collect::<Result<Vec<_>, exchange_file::FileError>>()?;
    let config = args.config(&subject, None)?;
    config.grants.check()?;
    let jobs = args.jobs.or_else(|| thread::available_parallelism().ok());
    let jobs = jobs.unwrap_or(NonZeroUsize::MIN);
    let engine = author_engine(&args.given, jobs, &config)?;
    let loading = engine.load(
        &config.handler,
        &config.trust,
        &config.grants,
        config.guest_limits,
    );
    let handler = runtime()?.block_on(loading)?;
    let mut scripts = Vec::new();
    for (path, file) in &files {
        scripts.push(args.script(&subject, &handler, path, file)?);
    }
    let suites = args.play(&subject, &handler, &scripts, jobs)?;
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

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
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

    /// How the exchanges of one file are played.
    fn script<'a>(
        &self,
        subject: &Subject,
        handler: &LoadedHandler,
        path: &'a Path,
        file: &'a Exchanges,
    ) -> anyhow::Result<Script<'a>> {
        let framing = self.framing.as_ref().or(file.framing.as_ref());
        let framing = framing.or(subject.framing.as_ref()).cloned();
        let config = self.config(subject, framing)?;
        let (cuts, step_limit) = (!self.no_cuts, self.step_timeout.0);
        Script::new(path, file, &config, handler, cuts, step_limit)
    }

    /// Plays all exchanges and prints the results.
    fn play(
        &self,
        subject: &Subject,
        handler: &LoadedHandler,
        scripts: &[Script],
        jobs: NonZeroUsize,
    ) -> anyhow::Result<Vec<Suite>> {
        let suites = scripts.iter().map(|script| Suite {
            name: script.path.display().to_string(),
            cases: Vec::new(),
        });
        let mut suites: Vec<_> = suites.collect();
        let wanted = self.filter.as_deref().unwrap_or_default();
        let exchanges: Vec<_> = scripts
            .iter()
            .enumerate()
            .flat_map(|(number, script)| script.exchanges.iter().map(move |it| (number, it)))
            .filter(|(_, exchange)| exchange.name.contains(wanted))
            .collect();
        if exchanges.is_empty() {
            return Err(NothingToPlay(wanted.to_owned()).into());
        }
        let play = |(number, exchange): &(usize, &Exchange)| {
            let Script { plan, settings, .. } = &scripts[*number];
            let serving = |clock: &_| handler.rehearsing(subject.isolation, clock);
            let begin = Instant::now();
            let played = runtime()?.block_on(rehearse(serving, exchange, *plan, settings));
            io::Result::Ok((played, begin.elapsed()))
        };
        side_by_side(jobs, &exchanges, play, |(number, exchange), wait| {
            let Script { path, plan, .. } = &scripts[*number];
            let file = path.display();
            let progress = Progress::of(format!("playing {file}: {}", exchange.name));
            let (played, time) = wait()?;
            drop(progress);
            print(&report(path, exchange, *plan, &played))?;
            let is_enough = self.fail_fast && played.is_err();
            let name = exchange.name.clone();
            suites[*number]
                .cases
                .push(Case::new(name, time, played.err()));
            anyhow::Ok(if is_enough {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            })
        })?;
        Ok(suites)
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

fn print(text: &str) -> anyhow::Result<()> {
    output::print(text, "the results")
}
