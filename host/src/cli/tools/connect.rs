//! `echo-host connect`.

use crate::cli::exit::ConnectError;
use address::Endpoint;
use clap::Args;
use config::Time;
use server::tls::Verification;
use server::upgrade;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use tokio::runtime::Builder;
use tools::client::{self, Display, TlsOptions, datagrams};

/// Connect to a server: send standard input, print replies
///
/// At the end of the input, shuts down sending and prints the remaining replies. Over UDP, each
/// input line is a datagram, with its line ending.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ConnectArgs {
    /// Server: tcp://ADDR:PORT, or tls:, telnet:, udp:, ws:, wss:, unix:PATH
    #[arg(value_name = "URI", value_parser = reachable)]
    endpoint: Endpoint,
    /// Print replies as a hex dump
    #[arg(long)]
    hex: bool,
    /// Over UDP, wait this long for more replies after the input or the last reply
    #[arg(long, value_name = "TIME", default_value = "1s")]
    wait: Time,
    #[command(flatten)]
    tls: TlsArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsArgs {
    /// Trust the authorities in this PEM file instead of the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Trust any certificate, for testing only
    #[arg(long, conflicts_with = "ca")]
    insecure: bool,
    /// Name that the server's certificate must be valid for [default: the host of the URI]
    #[arg(long, value_name = "NAME")]
    server_name: Option<String>,
    /// Client certificate to send, a PEM file
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// Private key of --cert, a PEM file
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Offer this application protocol (ALPN; repeatable)
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

/// Parses the endpoint of a server that `connect` supports.
fn reachable(text: &str) -> Result<Endpoint, String> {
    match text
        .parse::<Endpoint>()
        .map_err(|error| error.to_string())?
    {
        Endpoint::Stdio => {
            let kinds = "tcp://, tls://, telnet://, udp://, ws://, wss:// or unix:";
            Err(format!("expected a {kinds} endpoint"))
        }
        endpoint => Ok(endpoint),
    }
}

pub fn run(args: &ConnectArgs) -> anyhow::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(async {
        match talk(args).await? {
            // The reader of our output has closed it.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            // Nobody receives datagrams at this address; only the error tells.
            Err(cause) if cause.kind() == ErrorKind::ConnectionRefused => {
                Err(cannot_connect(args)(cause).into())
            }
            Err(error) => Err(anyhow::Error::from(error)
                .context(format!("connection to {} failed", args.endpoint))),
            Ok(()) => Ok(()),
        }
    });
    // A read of standard input cannot be cancelled: leave it behind.
    runtime.shutdown_background();
    result
}

/// The outer error means that no connection was made; the inner one says how the connection ended.
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
    let Some(web) = args.endpoint.web() else {
        return Ok(client::converse(stream, input, output, display).await);
    };
    let socket = upgrade::open(stream, web)
        .await
        .map_err(cannot_connect(args))?;
    Ok(client::converse(socket, input, output, display).await)
}

fn cannot_connect(args: &ConnectArgs) -> impl Fn(io::Error) -> ConnectError {
    |cause| ConnectError {
        endpoint: args.endpoint.to_string(),
        cause,
    }
}
