//! `echo-host check`.

use super::handler::{serving, small_engine};
use super::log;
use super::options::Given;
use super::output;
use super::serve::ServeArgs;
use clap::Args;
use config::{Sources, schema};
use daemon::host::{Service, StartError, capacity};
use daemon::logs::progress::Progress;
use daemon::process;
use engine::{Capacity, Costs, Engine, HandlerKind, LoadedHandler, Origin, wants};
use std::fmt::Write as _;
use std::iter;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};

/// Check whether a handler or a configuration file can be served, and describe it
///
/// Reads, compiles, links, starts and probes everything as serve does. Listens only with --bind.
/// Prints what the handler imports and which option grants it. Also prints its size, compile time,
/// memory and known problems of its language. Exits with 0 if everything can be served.
#[derive(Debug, Args)]
#[command(override_usage = USAGE, after_help = EXAMPLES)]
pub struct CheckArgs {
    /// Handler: a component in binary (.wasm) or text (.wat) form, or a demo; `-` for standard
    /// input
    #[arg(required_unless_present_any = ["config", "schema"])]
    handler: Option<PathBuf>,
    /// Check all services in this configuration file
    #[arg(short, long, value_name = "FILE", conflicts_with = "handler")]
    config: Option<PathBuf>,
    /// Print the JSON schema of configuration files, for editors
    #[arg(long, conflicts_with_all = ["handler", "config"])]
    schema: bool,
    /// Also bind every address of the configuration file, and close it again
    #[arg(long, requires = "config", conflicts_with_all = ["handler", "schema"])]
    bind: bool,
    #[command(flatten)]
    given: Given<false>,
}

const USAGE: &str = "\
echo-host check [OPTIONS] <HANDLER>
       echo-host check [OPTIONS] --config <FILE> [--bind]
       echo-host check --schema";

const EXAMPLES: &str = "\
Examples:
  echo-host check hello.wasm
  echo-host check --config echo-host.toml
  echo-host check --config echo-host.toml --bind
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
    output::print(text, "the result")
}

fn check_handler(args: &CheckArgs, handler: &Path, runtime: &Runtime) -> anyhow::Result<String> {
    let config = serving(&args.given, handler)?;
    config.grants.check()?;
    // Without a cache, to measure compiling, unless the user wants a cache filled.
    let engine = match args.given.host.cache {
        None => Engine::new(Capacity::of(1), None)?,
        Some(_) => small_engine(&args.given, NonZeroUsize::MIN)?,
    };
    let loading = engine.load(
        &config.handler,
        &config.trust,
        &config.grants,
        config.guest_limits,
    );
    let progress = Progress::of(format!("compiling {}", config.handler));
    let handler = runtime.block_on(loading)?;
    drop(progress);
    Ok(format!(
        "{} can be served\n{}",
        config.handler,
        describe(&handler, config.handler.origin(&config.trust))
    ))
}

/// All services of a file, each with its handler and its listeners.
fn check_file(args: &CheckArgs, file: &Path, runtime: &Runtime) -> anyhow::Result<String> {
    // Variables say the same as to serve.
    let environment = ServeArgs::from_environment().sources();
    let sources = Sources {
        file: Some(file.to_owned()),
        host: args.given.host.clone().or(environment.host),
        service: args.given.service.clone().or(environment.service),
        ..environment
    };
    let config = sources.load()?;
    let entered = runtime.enter();
    process::check(&sources, &config, args.bind)?;
    drop(entered);
    let engine = Engine::new(capacity(&config), config.cache.as_deref());
    let engine = Arc::new(engine.map_err(StartError::from)?);
    let mut text = format!("{} can be served\n", file.display());
    for service in &config.services {
        let swapper = runtime.block_on(Service::load(&engine, service));
        let swapper = swapper.map_err(|error| error.placed(&sources))?;
        let current = swapper.generations().current();
        let handler = &current.made_from;
        // Writing to a String cannot fail.
        let _ = writeln!(text, "service {}", service.name);
        let _ = writeln!(text, "  handler   {}", handler.name);
        let _ = writeln!(text, "  kind      {}", handler.tier);
        let _ = writeln!(text, "  framing   {}", handler.settings.framing);
        for listener in &service.listen {
            let _ = writeln!(text, "  listens   {}", listener.uri);
        }
    }
    Ok(text)
}

fn describe(handler: &LoadedHandler, origin: Option<Origin>) -> String {
    let mut rows = vec![("kind", handler.tier().to_string())];
    if handler.tier() != HandlerKind::Program {
        let contract = match handler.contract_version() {
            Some(version) => format!("echo-host:handler@{version}"),
            None => "echo-host:handler, any version".to_owned(),
        };
        rows.push(("contract", contract));
    }
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
    rows.extend(imports(handler));
    if let Some(origin) = origin {
        rows.push(("written", format!("in {}", origin.language())));
    }
    let Costs {
        size_bytes,
        compiling,
        memory_bytes,
    } = handler.costs();
    rows.push(("size", format!("{size_bytes} bytes")));
    rows.push(("compiled", format!("in {} ms", compiling.as_millis())));
    rows.push(("memory", format!("{memory_bytes} bytes in a new instance")));
    if let Some(trap) = origin.and_then(|it| handler.known_trap(it)) {
        rows.push(("warning", trap));
    }
    rows.iter().fold(String::new(), |mut text, (name, value)| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {name:<9} {value}");
        text
    })
}

/// What the handler imports, and which option grants it.
fn imports(handler: &LoadedHandler) -> Vec<(&'static str, String)> {
    let wants = wants(&handler.wants());
    if wants.is_empty() {
        return vec![("imports", "only those of a plain program".to_owned())];
    }
    let width = wants.iter().map(|it| it.interface.len()).max().unwrap_or(0);
    let names = ["imports"].into_iter().chain(iter::repeat(""));
    let rows = names.zip(wants);
    rows.map(|(name, want)| (name, format!("{:<width$}  {}", want.interface, want.grant)))
        .collect()
}
