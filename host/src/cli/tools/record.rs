//! `echo-host record`.

use super::connect::TlsArgs;
use crate::cli::exit::ConnectError;
use crate::cli::printable::tell;
use address::{Endpoint, InvalidEndpoint};
use clap::Args;
use config::Sources;
use daemon::host::ReadyListener;
use daemon::logs::output;
use daemon::process::signals;
use framing::Framing;
use parking_lot::Mutex;
use server::admission::{Admission, Admitted, NotAdmitted};
use server::listener::{Accepted, Listener};
use server::upgrade;
use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tools::client::{self, TlsOptions, WebSocketStream};
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
    /// Listen for clients on tcp://ADDR:PORT, or ws:, telnet:, unix:PATH; port 0: the system
    /// chooses
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
    match parse(text)? {
        Endpoint::Udp(_) | Endpoint::Stdio | Endpoint::Telnet(_) => {
            Err("expected a tcp://, tls://, ws://, wss:// or unix: endpoint".into())
        }
        endpoint => Ok(endpoint),
    }
}

fn clients(text: &str) -> Result<Endpoint, String> {
    match parse(text)? {
        endpoint @ (Endpoint::Tcp(_)
        | Endpoint::Ws(_)
        | Endpoint::Telnet(_)
        | Endpoint::Unix(_)) => Ok(endpoint),
        _ => Err("expected a tcp://, ws://, telnet:// or unix: endpoint".into()),
    }
}

fn parse(text: &str) -> Result<Endpoint, String> {
    text.parse()
        .map_err(|error: InvalidEndpoint| error.to_string())
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
    let config = Sources::default().listener(&args.listen)?;
    let ReadyListener {
        listener,
        admission,
        ..
    } = ReadyListener::bind(&config)?;
    let mut recording = Recording::create(&args.file, args.framing.clone())?;
    output::print(format!("listening on {}\n", listener.endpoint())).await?;
    let mut open = Open {
        admission: Arc::new(admission),
        tasks: JoinSet::new(),
        transcripts: BTreeMap::new(),
    };
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
    let (mut accepted, mut not_admitted) = (0, 0);
    let mut acceptor = listener.acceptor();
    loop {
        let more = args
            .connections
            .is_none_or(|most| accepted - not_admitted < most.get());
        tokio::select! {
            Some(client) = acceptor.accept(), if more => {
                accepted += 1;
                open.begin(accepted, client, args);
            }
            Some(Ok((number, is_admitted))) = open.tasks.join_next() => {
                not_admitted += u64::from(!is_admitted);
                keep(open, number, recording)?;
            }
            else => return Ok(()),
        }
    }
}

/// The open connections, each with its traffic so far.
struct Open {
    admission: Arc<Admission>,
    /// Each with its number, and whether the client was admitted.
    tasks: JoinSet<(u64, bool)>,
    transcripts: BTreeMap<u64, Arc<Mutex<Transcript>>>,
}

impl Open {
    fn begin(&mut self, number: u64, client: Accepted, args: &RecordArgs) {
        let admission = self.admission.clone();
        let transcript = Arc::new(Mutex::default());
        self.transcripts.insert(number, Arc::clone(&transcript));
        let (server, options) = (args.server.clone(), args.tls.options());
        self.tasks.spawn(async move {
            let client = match admission.admit(client.stream, client.client).await {
                Ok(client) => client,
                Err(NotAdmitted::Page) => return (number, false),
                Err(error) => {
                    tell("echo-host", &format!("client not recorded: {error}"));
                    return (number, false);
                }
            };
            if let Err(cause) = pass_on(client, &server, &options, &transcript).await {
                let endpoint = server.to_string();
                tell("echo-host", &ConnectError { endpoint, cause }.to_string());
            }
            (number, true)
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

/// Bytes in both directions.
trait Bytes: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Bytes for S {}

/// Connects a client to the server. Over WebSocket, what the client sends at once is a message.
async fn pass_on(
    client: Admitted,
    server: &Endpoint,
    options: &TlsOptions,
    transcript: &Mutex<Transcript>,
) -> io::Result<()> {
    let stream = client::connect(server, options).await?;
    let server: Box<dyn Bytes> = match server.web() {
        None => Box::new(stream),
        Some(web) => Box::new(upgrade::open(stream, web).await?),
    };
    let client: Box<dyn Bytes> = match client.websocket {
        None => Box::new(client.stream),
        Some(start) => Box::new(WebSocketStream::new(client.stream, *start)),
    };
    relay(client, server, transcript).await;
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
