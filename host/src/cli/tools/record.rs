//! `echo-host record`.

use super::connect::TlsArgs;
use crate::cli::exit::ConnectError;
use crate::cli::printable::tell;
use clap::Args;
use connection::address::Endpoint;
use connection::framing::Framing;
use daemon::logs::output;
use daemon::process::signals;
use server::listener::{Listener, SocketOptions, UnixAccess};
use server::stream::Stream;
use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tools::client;
use tools::record::{Recording, RecordingError, Transcript, relay};

/// Record what clients and a server say to each other, as a file for `test`
///
/// Listens, connects each client that comes with the server, and passes on every byte. Each connection becomes an
/// exchange in the file, which is written anew whenever one ends. Ctrl-C ends it. What varies from time to time, such
/// as the date in a reply, is to be made a gap by hand.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RecordArgs {
    /// The server: tcp://ADDR:PORT, tls://ADDR:PORT or unix:PATH
    #[arg(value_name = "URI", value_parser = server)]
    server: Endpoint,
    /// The file, which must not be there yet
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where clients connect to: tcp://ADDR:PORT or unix:PATH; port 0 lets the system choose
    #[arg(
        short,
        long,
        value_name = "URI",
        default_value = "tcp://127.0.0.1:0",
        value_parser = door
    )]
    listen: Endpoint,
    /// End after so many connections
    #[arg(short = 'n', long, value_name = "N")]
    connections: Option<NonZeroU64>,
    /// Note in the file how messages are cut out of the stream
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

fn door(text: &str) -> Result<Endpoint, String> {
    of_streams(text, false)
}

fn of_streams(text: &str, tls: bool) -> Result<Endpoint, String> {
    let endpoint = text
        .parse::<Endpoint>()
        .map_err(|error| error.to_string())?;
    match endpoint {
        Endpoint::Tcp(_) | Endpoint::Unix(_) => Ok(endpoint),
        Endpoint::Tls(_) if tls => Ok(endpoint),
        _ if tls => Err("only what is said over tcp://, tls:// and unix: can be recorded".into()),
        _ => Err("clients can come by tcp:// and unix: only".into()),
    }
}

pub fn run(args: &RecordArgs) -> anyhow::Result<()> {
    // What it tells must not keep those waiting whose bytes it passes on.
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
        // What was said so far counts.
        () = stop => open.numbers().try_for_each(|number| keep(&mut open, number, &mut recording)),
    };
    let recorded = recording.connections();
    recording.finish()?;
    let file = args.file.display();
    match recorded {
        0 => tell("echo-host", "nothing was said, so nothing is recorded"),
        1 => tell("echo-host", &format!("1 connection is recorded in {file}")),
        _ => tell(
            "echo-host",
            &format!("{recorded} connections are recorded in {file}"),
        ),
    }
    Ok(result?)
}

/// Connects clients with the server until there were as many as there are to be.
async fn serve(
    args: &RecordArgs,
    listener: &Listener,
    open: &mut Open,
    recording: &mut Recording,
) -> Result<(), RecordingError> {
    let mut accepted = 0;
    loop {
        let more = args.connections.is_none_or(|most| accepted < most.get());
        tokio::select! {
            Some(client) = listener.accept(), if more => {
                accepted += 1;
                open.begin(accepted, client.stream, args);
            }
            Some(Ok(number)) = open.tasks.join_next() => keep(open, number, recording)?,
            else => return Ok(()),
        }
    }
}

/// The connections that are open, each with what was said on it so far.
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
            match client::connect(&server, &options).await {
                Ok(stream) => relay(client, stream, &transcript).await,
                Err(cause) => {
                    let endpoint = server.to_string();
                    tell("echo-host", &ConnectError { endpoint, cause }.to_string());
                }
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
        let mut transcript = transcript.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *transcript)
    }
}

/// Writes a connection down. One that is too long is left out.
fn keep(open: &mut Open, number: u64, recording: &mut Recording) -> Result<(), RecordingError> {
    match recording.add(number, open.take(number)) {
        Err(error @ RecordingError::TooLarge { .. }) => {
            tell("echo-host", &error.to_string());
            Ok(())
        }
        added => added,
    }
}
