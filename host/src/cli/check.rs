//! `echo-host check`.

use super::handler::{serving, small_engine};
use super::log;
use super::options::Given;
use anyhow::Context;
use clap::Args;
use daemon::config::{HostSettings, Sources, schema};
use daemon::host::{Service, StartError, capacity};
use engine::{Capacity, Costs, Engine, HandlerKind, Language, LoadedHandler, grant};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::iter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};

/// Check whether a handler or a configuration file can be served, and describe it
///
/// Reads, compiles, links, starts and probes everything as serve does. Does not listen. Prints what
/// the handler imports and which option grants it. Also prints its size, compile time, memory and
/// known problems of its language. Exits with 0 if everything can be served.
#[derive(Debug, Args)]
#[command(override_usage = USAGE, after_help = EXAMPLES)]
pub struct CheckArgs {
    /// Handler: a component in binary (.wasm) or text (.wat) form
    #[arg(required_unless_present_any = ["config", "schema"])]
    handler: Option<PathBuf>,
    /// Check all services in this configuration file
    #[arg(short, long, value_name = "FILE", conflicts_with = "handler")]
    config: Option<PathBuf>,
    /// Print the JSON schema of configuration files, for editors
    #[arg(long, conflicts_with_all = ["handler", "config"])]
    schema: bool,
    #[command(flatten)]
    given: Given<false>,
}

const USAGE: &str = "\
echo-host check [OPTIONS] <HANDLER>
       echo-host check [OPTIONS] --config <FILE>
       echo-host check --schema";

const EXAMPLES: &str = "\
Examples:
  echo-host check hello.wasm
  echo-host check --config echo-host.toml
  echo-host check --schema > echo-host.schema.json";

pub fn run(args: &CheckArgs) -> anyhow::Result<()> {
    log::start(&args.given.host);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let text = match (&args.config, &args.handler) {
        _ if args.schema => schema(),
        (Some(file), _) => check_file(args, file, &runtime)?,
        (None, Some(handler)) => check_handler(args, handler, &runtime)?,
        // Clap requires one of them.
        (None, None) => String::new(),
    };
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .context("cannot print the result")
}

fn check_handler(args: &CheckArgs, handler: &Path, runtime: &Runtime) -> anyhow::Result<String> {
    let config = serving(&args.given, handler)?;
    config.grants.check()?;
    // Without a cache, to measure compiling, unless the user wants a cache filled.
    let engine = match args.given.host.cache {
        None => Engine::new(Capacity::of(1), None)?,
        Some(_) => small_engine(&args.given)?,
    };
    let loading = engine.load(
        &config.handler,
        &config.trust,
        &config.grants,
        config.guest_limits,
    );
    let handler = runtime.block_on(loading)?;
    Ok(format!(
        "{} can be served\n{}",
        config.handler,
        describe(&handler, config.handler.language(&config.trust))
    ))
}

/// All services of a file, each with its handler and its listeners.
fn check_file(args: &CheckArgs, file: &Path, runtime: &Runtime) -> anyhow::Result<String> {
    let sources = Sources {
        file: Some(file.to_owned()),
        host: HostSettings {
            cache: args.given.host.cache.clone(),
            ..HostSettings::default()
        },
        service: args.given.service.clone(),
        ..Sources::default()
    };
    let config = sources.load()?;
    let capacity = Capacity {
        places_each: capacity(&config).places_each,
        ..Capacity::of(1)
    };
    let engine = Engine::new(capacity, config.cache.as_deref());
    let engine = Arc::new(engine.map_err(StartError::from)?);
    let mut text = format!("{} can be served\n", file.display());
    for service in &config.services {
        let swapper = runtime.block_on(Service::load(&engine, service))?;
        let current = swapper.generations().current();
        let handler = &current.made_from;
        // Writing to a String cannot fail.
        let _ = writeln!(text, "service {}", service.name);
        let _ = writeln!(text, "  handler   {}", handler.name);
        let _ = writeln!(text, "  tier      {}", handler.tier);
        let _ = writeln!(text, "  framing   {}", handler.settings.framing);
        for listener in &service.listen {
            let _ = writeln!(text, "  listens   {}", listener.uri);
        }
    }
    Ok(text)
}

fn describe(handler: &LoadedHandler, language: Option<Language>) -> String {
    let mut rows = vec![("tier", handler.tier().to_string())];
    match handler.about() {
        _ if handler.tier() == HandlerKind::Program => {
            rows.push(("framing", "none: a stream".to_owned()));
        }
        Some(about) => {
            rows.push(("name", format!("{} {}", about.name, about.version)));
            rows.push(("framing", about.framing.to_string()));
            rows.push((
                "messages",
                format!("up to {} bytes", about.max_message_bytes),
            ));
        }
        None => {
            rows.push(("name", "not declared".to_owned()));
            rows.push((
                "framing",
                "not declared: chunks, or the value of --framing".to_owned(),
            ));
        }
    }
    rows.extend(wants(handler));
    if let Some(language) = language {
        rows.push(("written", format!("in {language}")));
    }
    let Costs {
        size_bytes,
        compiling,
        memory_bytes,
    } = handler.costs();
    rows.push(("size", format!("{size_bytes} bytes")));
    rows.push(("compiled", format!("in {} ms", compiling.as_millis())));
    rows.push(("memory", format!("{memory_bytes} bytes in a new instance")));
    if let Some(trap) = language.and_then(|it| handler.known_trap(it)) {
        rows.push(("warning", trap));
    }
    rows.iter().fold(String::new(), |mut text, (name, value)| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {name:<9} {value}");
        text
    })
}

/// What the handler imports, and which option grants it.
fn wants(handler: &LoadedHandler) -> Vec<(&'static str, String)> {
    let wants = handler.wants();
    if wants.is_empty() {
        return vec![("wants", "nothing beyond a plain program".to_owned())];
    }
    let names = ["wants"].into_iter().chain(iter::repeat(""));
    let rows = names.zip(wants);
    rows.map(|(name, want)| (name, format!("{want}: {}", grant(&want))))
        .collect()
}
