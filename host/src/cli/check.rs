//! `echo-host check`.

use super::guest::{GuestArgs, HandlerArg};
use super::log::{self, LogArgs};
use anyhow::Context;
use clap::Args;
use echo_host::engine::{LoadedHandler, Tier};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use tokio::runtime::Builder;

/// Tell whether a handler would be served, and what it is
///
/// Reads, compiles, links and starts the handler exactly as serve does. Exits with 0 if all is well,
/// and otherwise with the reason.
#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    handler: HandlerArg,
    #[command(flatten)]
    guest: GuestArgs,
    #[command(flatten)]
    log: LogArgs,
}

pub fn run(args: &CheckArgs) -> anyhow::Result<()> {
    log::start(&args.log);
    let source = args.handler.source();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handler = runtime.block_on(async {
        let grants = args.guest.grants(&source);
        grants.check()?;
        anyhow::Ok(args.guest.small_engine()?.load(&source, grants).await?)
    })?;
    let mut stdout = io::stdout().lock();
    write!(stdout, "{source} can be served\n{}", describe(&handler))
        .and_then(|()| stdout.flush())
        .context("cannot print the result")
}

fn describe(handler: &LoadedHandler) -> String {
    let mut rows = vec![("tier", handler.tier().to_string())];
    match handler.about() {
        _ if handler.tier() == Tier::Program => {
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
                "not declared: chunks, or as --framing says".to_owned(),
            ));
        }
    }
    rows.push((
        "wants",
        match handler.wants() {
            [] => "nothing beyond a plain program".to_owned(),
            wants => wants.join(", "),
        },
    ));
    rows.push(("size", format!("{} bytes", handler.size_bytes())));
    rows.iter().fold(String::new(), |mut text, (name, value)| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {name:<9} {value}");
        text
    })
}
