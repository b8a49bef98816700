//! `echo-host call`.

use crate::cli::handler::{HandlerArg, author_engine, is_stdin, serving};
use crate::cli::log;
use crate::cli::options::Given;
use crate::cli::output;
use anyhow::Context;
use bytes::Bytes;
use clap::Args;
use clap::error::ErrorKind;
use engine::Isolation;
use keyvalue::Store;
use std::ffi::OsString;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStringExt;
use tokio::runtime::Builder;
use tools::call::call;

/// Pass one message to a handler and print the reply, without sockets
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CallArgs {
    #[command(flatten)]
    handler: HandlerArg,
    /// The message [default: all of standard input]
    message: Option<OsString>,
    #[command(flatten)]
    given: Given<false>,
}

const EXAMPLES: &str = "\
Examples:
  echo-host call upper.wasm 'Hello, client!'
  echo-host call reverse.wasm < message.bin > reply.bin";

pub fn run(args: &CallArgs) -> anyhow::Result<()> {
    log::start(&args.given.host);
    if args.message.is_none() && is_stdin(&args.handler.handler) {
        let both = "the handler and the message cannot both come from standard input\n";
        let mut command = clap::Command::new("echo-host call");
        command
            .error(ErrorKind::MissingRequiredArgument, both)
            .exit();
    }
    let config = serving(&args.given, &args.handler.handler)?;
    let message = match &args.message {
        Some(message) => message.clone().into_vec(),
        None => read_stdin(config.guest_limits.max_memory_bytes)?,
    };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let reply = runtime.block_on(async {
        config.grants.check()?;
        let engine = author_engine(&args.given, NonZeroUsize::MIN, &config)?;
        let loading = engine.load(
            &config.handler,
            &config.trust,
            &config.grants,
            config.guest_limits,
        );
        let handler = loading.await?;
        let serving = handler.serving(Isolation::Connection, &Store::new(&config.grants.keyvalue));
        anyhow::Ok(call(&serving, Bytes::from(message)).await?)
    })?;
    output::print(&reply, "the reply")
}

fn read_stdin(limit: usize) -> anyhow::Result<Vec<u8>> {
    let mut message = Vec::new();
    let read = io::stdin().take(limit as u64 + 1).read_to_end(&mut message);
    let checked = read.and_then(|_| {
        if message.len() > limit {
            Err(io::Error::other(format!(
                "longer than the handler's {limit} bytes of memory (--max-memory)"
            )))
        } else {
            Ok(())
        }
    });
    checked.context("cannot read the message from standard input")?;
    Ok(message)
}
