//! `echo-host connect`.

use super::exit::ConnectError;
use clap::Args;
use echo_host::address::Endpoint;
use echo_host::client::{self, Display};
use std::io::ErrorKind;
use tokio::runtime::Builder;

/// Talk to a server: standard input goes out, replies come back on standard output
///
/// At the end of the input the server is told so, and what it still answers is printed.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ConnectArgs {
    /// Where to connect to
    #[arg(value_name = "tcp://ADDR:PORT")]
    endpoint: Endpoint,
    /// Show replies as a hex dump
    #[arg(long)]
    hex: bool,
}

const EXAMPLES: &str = "\
Examples:
  echo-host connect tcp://127.0.0.1:8888
  echo 'Hello, server!' | echo-host connect tcp://localhost:8888
  echo-host connect --hex tcp://[::1]:8888 < request.bin";

pub fn run(args: &ConnectArgs) -> anyhow::Result<()> {
    let display = if args.hex { Display::Hex } else { Display::Raw };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(async {
        let stream = client::connect(&args.endpoint)
            .await
            .map_err(|cause| ConnectError {
                endpoint: args.endpoint.to_string(),
                cause,
            })?;
        let talk = client::converse(stream, tokio::io::stdin(), tokio::io::stdout(), display);
        match talk.await {
            // Whoever read our output has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(anyhow::Error::from(error)
                .context(format!("the conversation with {} broke", args.endpoint))),
            Ok(()) => Ok(()),
        }
    });
    // A read of standard input cannot be called off: leave it behind.
    runtime.shutdown_background();
    result
}
