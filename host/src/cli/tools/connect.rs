//! `echo-host connect`.

use crate::cli::exit::ConnectError;
use clap::Args;
use connection::address::Endpoint;
use daemon::config::Time;
use server::tls::Verification;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use tokio::runtime::Builder;
use tools::client::{self, Display, TlsOptions, datagrams};

/// Talk to a server: standard input goes out, replies come back on standard output
///
/// At the end of the input the server is told so, and what it still answers is printed. Over UDP each line of
/// input is a datagram, its ending included, and after the end replies are waited for.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ConnectArgs {
    /// Where to connect to: tcp://ADDR:PORT, tls://ADDR:PORT, udp://ADDR:PORT or unix:PATH
    #[arg(value_name = "URI", value_parser = reachable)]
    endpoint: Endpoint,
    /// Show replies as a hex dump
    #[arg(long)]
    hex: bool,
    /// How long after the end of the input, or the last reply, nothing more is expected: UDP has no end
    #[arg(long, value_name = "TIME", default_value = "1s")]
    wait: Time,
    #[command(flatten)]
    tls: TlsArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsArgs {
    /// Trust the authorities in this PEM file in place of the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Trust any certificate: to try things out
    #[arg(long, conflicts_with = "ca")]
    insecure: bool,
    /// The name that the server's certificate must be for [default: the address's]
    #[arg(long, value_name = "NAME")]
    server_name: Option<String>,
    /// The certificate to show to the server, a PEM file
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// Its private key, a PEM file
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// An application protocol to offer (ALPN; repeatable)
    #[arg(long, value_name = "PROTOCOL")]
    alpn: Vec<String>,
}

impl TlsArgs {
    pub fn options(&self) -> TlsOptions {
        TlsOptions {
            server_name: self.server_name.clone(),
            verification: Verification {
                ca: self.ca.clone(),
                insecure: self.insecure,
                identity: self.cert.clone().zip(self.key.clone()),
                alpn: self.alpn.clone(),
            },
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  echo-host connect tcp://127.0.0.1:8888
  echo 'Hello, server!' | echo-host connect tcp://localhost:8888
  echo-host connect tls://example.org:7443 --alpn chat
  echo-host connect unix:/run/echo.sock
  echo-host connect --hex tcp://[::1]:8888 < request.bin
  echo-host connect udp://127.0.0.1:9999 --wait 200ms";

/// Where a server may be.
fn reachable(text: &str) -> Result<Endpoint, String> {
    match text
        .parse::<Endpoint>()
        .map_err(|error| error.to_string())?
    {
        Endpoint::Stdio => {
            Err("stdio: is this command itself: there is nobody to talk to".to_owned())
        }
        endpoint => Ok(endpoint),
    }
}

pub fn run(args: &ConnectArgs) -> anyhow::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(async {
        match talk(args).await? {
            // Whoever read our output has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            // Nobody receives datagrams there. Only an answer tells.
            Err(cause) if cause.kind() == ErrorKind::ConnectionRefused => {
                Err(cannot_connect(args)(cause).into())
            }
            Err(error) => Err(anyhow::Error::from(error)
                .context(format!("the conversation with {} broke", args.endpoint))),
            Ok(()) => Ok(()),
        }
    });
    // A read of standard input cannot be called off: leave it behind.
    runtime.shutdown_background();
    result
}

/// The outer error says that there was no conversation, the inner one how it ended.
async fn talk(args: &ConnectArgs) -> Result<io::Result<()>, ConnectError> {
    let display = if args.hex { Display::Hex } else { Display::Raw };
    let (input, output) = (tokio::io::stdin(), tokio::io::stdout());
    if let Endpoint::Udp(address) = &args.endpoint {
        let socket = datagrams::connect(address)
            .await
            .map_err(cannot_connect(args))?;
        return Ok(datagrams::exchange(&socket, input, output, display, args.wait.0).await);
    }
    let stream = client::connect(&args.endpoint, &args.tls.options())
        .await
        .map_err(cannot_connect(args))?;
    Ok(client::converse(stream, input, output, display).await)
}

fn cannot_connect(args: &ConnectArgs) -> impl Fn(io::Error) -> ConnectError {
    |cause| ConnectError {
        endpoint: args.endpoint.to_string(),
        cause,
    }
}
