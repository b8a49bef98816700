//! `echo-host record`.

use super::connect::TlsArgs;
use crate::cli::exit::ConnectError;
use crate::cli::printable::tell;
use clap::Args;
use connection::address::Endpoint;
use daemon::logs::output;
use daemon::process::signals;
use framing::Framing;
use parking_lot::Mutex;
use server::listener::{Listener, SocketOptions, UnixAccess};
use server::stream::Stream;
use server::upgrade;
use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tools::client::{self, TlsOptions};
use tools::record::{Recording, RecordingError, Transcript, relay};

/// Record the traffic of clients and a server as a file for `test`
///
/// Listens, connects each client to the server, and forwards every byte. Each connection becomes an
/// exchange in the file. The file is rewritten whenever a connection ends. Ctrl-C stops. Then
/// edit the file: replace text that varies, such as a date, with `*` in a `<~` line.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RecordArgs {
    /// Server: tcp://ADDR:PORT, or tls:, ws:, wss:, unix:PATH
    #[arg(value_name = "URI", value_parser = server)]
    server: Endpoint,
    /// New file to write
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Listen for clients on tcp://ADDR:PORT or unix:PATH; port 0 lets the system choose
    #[arg(
        short,
        long,
        value_name = "URI",
        default_value = "tcp://127.0.0.1:0",
        value_parser = clients
    )]
    listen: Endpoint,
    /// Stop after this many connections
    #[arg(short = 'n', long, value_name = "N")]
    connections: Option<NonZeroU64>,
    /// Write this framing into the file
    #[arg(long, value_name = "FRAMING")]
    framing: Option<Framing>,
    #[command(flatten)]
    tls: TlsArgs,
}

const EXAMPLES: &str = "\
Examples:
  echo-host record tcp://127.0.0.1:8888 calc.exchange --listen tcp://127.0.0.1:9999
  telnet 127.0.0.1 9999                          in another terminal; then Ctrl-C in the first one
  echo-host test calc.wasm calc.exchange

  echo-host record tcp://127.0.0.1:6379 redis.exchange -n 1    of any server, such as a real Redis";

fn server(text: &str) -> Result<Endpoint, String> {
    of_streams(text, true)
}

fn clients(text: &str) -> Result<Endpoint, String> {
    of_streams(text, false)
}

fn of_streams(text: &str, is_server: bool) -> Result<Endpoint, String> {
    let endpoint = text
        .parse::<Endpoint>()
        .map_err(|error| error.to_string())?;
    match endpoint {
        Endpoint::Tcp(_) | Endpoint::Unix(_) => Ok(endpoint),
        Endpoint::Tls(_) | Endpoint::Ws(_) | Endpoint::Wss(_) if is_server => Ok(endpoint),
        _ if is_server => Err("expected a tcp://, tls://, ws://, wss:// or unix: endpoint".into()),
        _ => Err("expected a tcp:// or unix: endpoint".into()),
    }
}

pub fn run(args: &RecordArgs) -> anyhow::Result<()> {
    // Printing must not delay the bytes it forwards.
    output::queue();
    output::start();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(record(args))
}

async fn record(args: &RecordArgs) -> anyhow::Result<()> {
    let stop = signals::stop()?;
    let listener = Listener::bind(
        &args.listen,
        UnixAccess::default(),
        &SocketOptions::default(),
    )?;
    let mut recording = Recording::create(&args.file, args.framing.clone())?;
    output::print(format!("listening on {}\n", listener.endpoint())).await?;
    let mut open = Open::default();
    let result = tokio::select! {
        result = serve(args, &listener, &mut open, &mut recording) => result,
        // Traffic so far is recorded.
        () = stop => open.numbers().try_for_each(|number| keep(&mut open, number, &mut recording)),
    };
    let recorded = recording.connections();
    recording.finish()?;
    let file = args.file.display();
    match recorded {
        0 => tell("echo-host", "no traffic, nothing recorded"),
        1 => tell("echo-host", &format!("1 connection recorded in {file}")),
        _ => tell(
            "echo-host",
            &format!("{recorded} connections recorded in {file}"),
        ),
    }
    Ok(result?)
}

/// Connects clients to the server until the wanted number is reached.
async fn serve(
    args: &RecordArgs,
    listener: &Listener,
    open: &mut Open,
    recording: &mut Recording,
) -> Result<(), RecordingError> {
    let mut accepted = 0;
    let mut acceptor = listener.acceptor();
    loop {
        let more = args.connections.is_none_or(|most| accepted < most.get());
        tokio::select! {
            Some(client) = acceptor.accept(), if more => {
                accepted += 1;
                open.begin(accepted, client.stream, args);
            }
            Some(Ok(number)) = open.tasks.join_next() => keep(open, number, recording)?,
            else => return Ok(()),
        }
    }
}

/// The open connections, each with its traffic so far.
#[derive(Default)]
struct Open {
    tasks: JoinSet<u64>,
    transcripts: BTreeMap<u64, Arc<Mutex<Transcript>>>,
}

impl Open {
    fn begin(&mut self, number: u64, client: Stream, args: &RecordArgs) {
        let transcript = Arc::new(Mutex::default());
        self.transcripts.insert(number, Arc::clone(&transcript));
        let (server, options) = (args.server.clone(), args.tls.options());
        self.tasks.spawn(async move {
            client.send_at_once();
            if let Err(cause) = pass_on(client, &server, &options, &transcript).await {
                let endpoint = server.to_string();
                tell("echo-host", &ConnectError { endpoint, cause }.to_string());
            }
            number
        });
    }

    fn numbers(&self) -> impl Iterator<Item = u64> + use<> {
        self.transcripts
            .keys()
            .copied()
            .collect::<Vec<_>>()
            .into_iter()
    }

    fn take(&mut self, number: u64) -> Transcript {
        let transcript = self.transcripts.remove(&number).unwrap_or_default();
        let mut transcript = transcript.lock();
        std::mem::take(&mut *transcript)
    }
}

/// Connects a client to the server. Over WebSocket, what the client sends at once is a message.
async fn pass_on(
    client: Stream,
    server: &Endpoint,
    options: &TlsOptions,
    transcript: &Mutex<Transcript>,
) -> io::Result<()> {
    let stream = client::connect(server, options).await?;
    match server.web() {
        None => relay(client, stream, transcript).await,
        Some(web) => relay(client, upgrade::open(stream, web).await?, transcript).await,
    }
    Ok(())
}

/// Writes a connection to the file. One that is too long is left out.
fn keep(open: &mut Open, number: u64, recording: &mut Recording) -> Result<(), RecordingError> {
    match recording.add(number, open.take(number)) {
        Err(error @ RecordingError::TooLarge { .. }) => {
            tell("echo-host", &error.to_string());
            Ok(())
        }
        added => added,
    }
}
