//! `echo-host tap`.

use crate::cli::printable::{printable, tell};
use crate::cli::which::{WhichArgs, refused, unexpected};
use anyhow::Context;
use clap::Args;
use config::Time;
use connection::limits::CONTROL_REPLY_TIME;
use daemon::control::{ControlError, Replies, Reply, Request, TapLine, TapWhat};
use daemon::process::signals;
use exchange::{Action, LineEnding, MAX_FILE_BYTES};
use framing::Framing;
use humantime::format_rfc3339_millis;
use std::collections::BTreeMap;
use std::future::pending;
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, SystemTime};
use tokio::runtime::Builder;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::sleep;
use tools::record::{Recording, RecordingError, Transcript, received};

/// Show the live traffic of a running host
///
/// Prints what clients send (`>`) and what handlers send (`<`) in the notation of recorded
/// exchanges, with the time (UTC) and the connection. Ctrl-C stops. The host logs who taps what.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct TapArgs {
    /// Only this connection
    #[arg(long, value_name = "ID")]
    connection: Option<u64>,
    /// Write a new file for `echo-host test` as well
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Write this framing into the file
    #[arg(long, value_name = "FRAMING", requires = "write")]
    framing: Option<Framing>,
    /// Stop after this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    duration: Option<Duration>,
    #[command(flatten)]
    which: WhichArgs,
}

const EXAMPLES: &str = "\
Examples:
  echo-host tap                                  everything
  echo-host tap --service chat --peer 192.0.2.7
  echo-host tap --connection 4711                as `echo-host connections` numbers them
  echo-host tap --duration 10s --write calc.exchange; echo-host test calc.wasm calc.exchange";

fn time(text: &str) -> Result<Duration, String> {
    text.parse().map(|Time(time)| time)
}

pub fn run(args: &TapArgs) -> anyhow::Result<()> {
    let path = args.which.host.path()?;
    let asked = Request::Tap(args.which.wanted(args.connection));
    let mut replies = Replies::to(&path, &asked, CONTROL_REPLY_TIME)?;
    let connections = match replies.next(CONTROL_REPLY_TIME)? {
        Reply::Tapping { connections } => connections,
        Reply::Refused(why) => return Err(refused(&path, why).into()),
        _ => return Err(unexpected(&path).into()),
    };
    let mut file = (args.write.as_ref())
        .map(|path| Recording::create(path, args.framing.clone()).map(File::of))
        .transpose()?;
    let open = match connections {
        1 => "1 connection is".to_owned(),
        _ => format!("{connections} connections are"),
    };
    tell("echo-host", &format!("tapping: {open} open; Ctrl-C stops"));
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let lines = receive(replies);
    let shown = runtime.block_on(show(args, lines, &mut file));
    if let Some(file) = file {
        file.finish(args)?;
    }
    shown
}

/// Receives lines on a thread of its own, which ends with the process.
fn receive(mut replies: Replies) -> Receiver<Result<Vec<TapLine>, ControlError>> {
    // What waits here waits in the host otherwise.
    let (sender, receiver) = channel(1);
    thread::spawn(move || {
        loop {
            let lines = match replies.wait() {
                Ok(Some(Reply::Tapped(lines))) => Ok(lines),
                Ok(Some(_)) => continue,
                Ok(None) => return,
                Err(error) => Err(error),
            };
            let is_last = lines.is_err();
            if sender.blocking_send(lines).is_err() || is_last {
                return;
            }
        }
    });
    receiver
}

/// Shows lines until the host ends, or the user does.
async fn show(
    args: &TapArgs,
    mut lines: Receiver<Result<Vec<TapLine>, ControlError>>,
    file: &mut Option<File>,
) -> anyhow::Result<()> {
    let mut stop = std::pin::pin!(signals::stop()?);
    let mut over = std::pin::pin!(async {
        match args.duration {
            Some(time) => sleep(time).await,
            None => pending().await,
        }
    });
    loop {
        let lines = tokio::select! {
            lines = lines.recv() => match lines {
                Some(lines) => lines?,
                None => {
                    tell("echo-host", "the host has ended");
                    return Ok(());
                }
            },
            () = &mut stop => return Ok(()),
            () = &mut over => return Ok(()),
        };
        let text: String = lines.iter().flat_map(texts).collect();
        if let Some(file) = file {
            file.take(lines)?;
        }
        let mut stdout = io::stdout().lock();
        match stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
        {
            // The reader has what it wanted.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            printed => printed.context("cannot print the traffic")?,
        }
    }
}

/// What is printed for an entry.
fn texts(line: &TapLine) -> Vec<String> {
    let at = SystemTime::UNIX_EPOCH + Duration::from_micros(line.at_unix_microseconds);
    let at = format_rfc3339_millis(at).to_string();
    // Only the time of day, without the zone.
    let at = at.get(11..23).unwrap_or(&at);
    let id = line.connection;
    let notations = match &line.what {
        TapWhat::Begun {
            service,
            peer,
            listener,
            fresh,
        } => {
            let since = if *fresh { "" } else { ", open before" };
            vec![format!("== {peer} on {listener}, service {service}{since}")]
        }
        TapWhat::FromClient(bytes) => vec![notation(&Action::Send(bytes.clone()))],
        TapWhat::ToClient(bytes) => received(bytes).iter().map(notation).collect(),
        TapWhat::Finished => vec![notation(&Action::Finish)],
        TapWhat::Closed => vec![notation(&Action::Closed)],
        TapWhat::Dropped(entries) => {
            let why = "this tap is read too slowly";
            return vec![format!("{at}  #  {entries} entries dropped: {why}\n")];
        }
    };
    let lines = notations.iter();
    lines
        .map(|notation| format!("{at}  {id}  {}\n", printable(notation)))
        .collect()
}

fn notation(action: &Action) -> String {
    action.line(LineEnding::Lf)
}

/// Traffic of open connections that may wait to be written. A file is shorter, but nobody knows
/// which connection ends first.
const MAX_OPEN_BYTES: usize = 16 * MAX_FILE_BYTES;

/// The file that is written, and the traffic of connections that are still open.
struct File {
    recording: Recording,
    open: BTreeMap<u64, Transcript>,
    open_bytes: usize,
    /// Connections of which entries are missing.
    incomplete: usize,
    /// Whether nothing more fits.
    is_full: bool,
}

impl File {
    fn of(recording: Recording) -> Self {
        File {
            recording,
            open: BTreeMap::new(),
            open_bytes: 0,
            incomplete: 0,
            is_full: false,
        }
    }

    fn take(&mut self, lines: Vec<TapLine>) -> Result<(), RecordingError> {
        let mut closed = Vec::new();
        for line in lines {
            let id = line.connection;
            match line.what {
                TapWhat::Begun { fresh, .. } => {
                    let transcript = if fresh {
                        Transcript::default()
                    } else {
                        Transcript::joined()
                    };
                    self.open.insert(id, transcript);
                }
                TapWhat::FromClient(bytes) => self.note(id, |it| it.sent(&bytes)),
                TapWhat::ToClient(bytes) => self.note(id, |it| it.received(&bytes)),
                TapWhat::Finished => self.note(id, Transcript::finished),
                TapWhat::Closed => {
                    self.note(id, Transcript::closed);
                    if let Some(transcript) = self.open.remove(&id) {
                        self.open_bytes -= transcript.bytes();
                        closed.push((id, transcript));
                    }
                }
                // Nobody knows of which connections.
                TapWhat::Dropped(_) => {
                    self.incomplete += self.open.len();
                    self.forget();
                }
            }
        }
        if self.open_bytes > MAX_OPEN_BYTES && !self.is_full {
            tell(
                "echo-host",
                "too much traffic for a file; nothing more is written",
            );
            self.is_full = true;
        }
        if self.is_full {
            self.forget();
        }
        self.add(closed)
    }

    fn note(&mut self, id: u64, event: impl FnOnce(&mut Transcript)) {
        if let Some(transcript) = self.open.get_mut(&id) {
            let before = transcript.bytes();
            event(transcript);
            self.open_bytes += transcript.bytes() - before;
        }
    }

    /// Forgets what open connections have said.
    fn forget(&mut self) {
        self.open.clear();
        self.open_bytes = 0;
    }

    fn add(&mut self, mut closed: Vec<(u64, Transcript)>) -> Result<(), RecordingError> {
        if self.is_full {
            return Ok(());
        }
        closed.retain(|(id, transcript)| {
            let is_short = transcript.bytes() <= MAX_FILE_BYTES;
            if !is_short {
                let text = format!("left out connection {id}: it is too long for a file");
                tell("echo-host", &text);
            }
            is_short
        });
        match self.recording.add_all(closed) {
            Err(error @ RecordingError::TooLarge { .. }) => {
                self.is_full = true;
                tell("echo-host", &format!("{error}; nothing more is written"));
                Ok(())
            }
            added => added,
        }
    }

    /// Writes what open connections have said so far.
    fn finish(mut self, args: &TapArgs) -> Result<(), RecordingError> {
        let open = std::mem::take(&mut self.open);
        self.add(open.into_iter().collect())?;
        let recorded = self.recording.connections();
        self.recording.finish()?;
        let file = args.write.iter().map(|it| it.display().to_string());
        let file: String = file.collect();
        let said = match recorded {
            0 => "no traffic, nothing written".to_owned(),
            1 => format!("1 connection written to {file}"),
            _ => format!("{recorded} connections written to {file}"),
        };
        tell("echo-host", &said);
        if self.incomplete > 0 {
            let them = match self.incomplete {
                1 => "1 connection".to_owned(),
                several => format!("{several} connections"),
            };
            tell("echo-host", &format!("left out {them} with gaps"));
        }
        Ok(())
    }
}
