//! `echo-host connections`.

use super::output;
use super::printable::printable;
use super::table::{age, table};
use super::watch;
use super::which::{WhichArgs, refused, unexpected};
use bytesize::ByteSize;
use clap::{Args, ValueEnum};
use config::Time;
use connection::limits::{CONTROL_REPLY_TIME, MAX_MEASURING_TIME};
use daemon::control::{ConnectionStatus, Replies, Reply, Request};
use std::cmp::Reverse;
use std::path::Path;
use std::time::Duration;

/// List the open connections of a running host
///
/// One line for each: who, on which listener, which generation serves it, and how much it has sent
/// and received. Over UDP, a sender is a connection.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ConnectionsArgs {
    /// Only this connection
    #[arg(value_name = "ID")]
    connection: Option<u64>,
    /// Only those that this generation serves
    #[arg(long, value_name = "N")]
    generation: Option<u64>,
    /// Order: by id, or the largest first
    #[arg(long, value_name = "FIGURE", value_enum, default_value_t = Sort::Id)]
    sort: Sort,
    /// List only the first of them
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// Measure the time in calls for so long before, up to 60s [default with --sort calls: 1s]
    #[arg(long, value_name = "TIME", value_parser = measurable)]
    measure: Option<Duration>,
    /// Print one line of JSON for each; names of figures end in their unit
    #[arg(long)]
    json: bool,
    /// Print them again each second, until Ctrl-C
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    which: WhichArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Sort {
    Id,
    Age,
    Idle,
    Messages,
    Bytes,
    Unsent,
    Memory,
    Calls,
}

const EXAMPLES: &str = "\
Examples:
  echo-host connections
  echo-host connections --sort calls --top 10        who keeps handlers busy
  echo-host connections --sort idle --peer 192.0.2.0/24
  echo-host connections --generation 3 --watch
  echo-host connections --json | jq -r 'select(.unsent_bytes > 0) | .peer'";

fn measurable(text: &str) -> Result<Duration, String> {
    match text.parse()? {
        Time(time) if time > MAX_MEASURING_TIME => Err("must be at most 60s".to_owned()),
        Time(time) => Ok(time),
    }
}

pub fn run(args: &ConnectionsArgs) -> anyhow::Result<()> {
    let path = args.which.host.path()?;
    if args.watch {
        return watch::run(|| report(args, &path));
    }
    if args.json && args.sort == Sort::Id && args.top.is_none() {
        // As they come: there may be many.
        return each(args, &path, |some| {
            output::print(json(&some)?, "the connections")
        });
    }
    output::print(report(args, &path)?, "the connections")
}

/// The connections, in order.
fn report(args: &ConnectionsArgs, path: &Path) -> anyhow::Result<String> {
    let mut all = Vec::new();
    each(args, path, |some| {
        all.extend(some);
        Ok(())
    })?;
    args.sort.apply(&mut all);
    all.truncate(args.top.unwrap_or(usize::MAX));
    if args.json {
        return json(&all);
    }
    Ok(printable(&text(&all)))
}

/// Passes on the connections by id, slice by slice.
fn each(
    args: &ConnectionsArgs,
    path: &Path,
    mut take: impl FnMut(Vec<ConnectionStatus>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let measured = (args.sort == Sort::Calls).then_some(Duration::from_secs(1));
    let measure = args.measure.or(measured);
    let asked = Request::Connections {
        wanted: args.which.wanted(args.connection),
        measure,
    };
    let patience = CONTROL_REPLY_TIME + measure.unwrap_or_default();
    let mut replies = Replies::to(path, &asked, patience)?;
    loop {
        match replies.next(patience)? {
            Reply::Connections(mut some) => {
                some.retain(|it| args.generation.is_none_or(|only| only == it.generation));
                take(some)?;
            }
            Reply::End(_) => return Ok(()),
            Reply::Refused(why) => return Err(refused(path, why).into()),
            _ => return Err(unexpected(path).into()),
        }
    }
}

impl Sort {
    /// Sorts what is sorted by id.
    fn apply(self, all: &mut [ConnectionStatus]) {
        all.sort_by_key(|it| {
            let figure = match self {
                Sort::Id => None,
                Sort::Age => Some(it.age_milliseconds),
                Sort::Idle => Some(it.idle_seconds),
                Sort::Messages => it.messages,
                Sort::Bytes => Some(it.received_bytes.saturating_add(it.sent_bytes)),
                Sort::Unsent => it.unsent_bytes,
                Sort::Memory => it.memory_bytes,
                Sort::Calls => it.call_microseconds,
            };
            Reverse(figure)
        });
    }
}

fn json(connections: &[ConnectionStatus]) -> anyhow::Result<String> {
    let lines = connections.iter().map(serde_json::to_string);
    let lines: Vec<_> = lines.collect::<Result<_, _>>()?;
    Ok(lines.iter().map(|line| format!("{line}\n")).collect())
}

fn text(connections: &[ConnectionStatus]) -> String {
    if connections.is_empty() {
        return "no open connection fits\n".to_owned();
    }
    let is_measured = connections.iter().any(|it| it.call_microseconds.is_some());
    let head = [
        "ID",
        "PEER",
        "LISTENER",
        "SERVICE",
        "GENERATION",
        "AGE",
        "IDLE",
        "MESSAGES",
        "RECEIVED",
        "SENT",
        "UNSENT",
        "MEMORY",
        "IN CALLS",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(connections.iter().map(row));
    if !is_measured {
        rows.iter_mut().for_each(|row| row.truncate(head.len() - 1));
    }
    table(&rows).trim_start().to_owned()
}

fn row(it: &ConnectionStatus) -> Vec<String> {
    let absent = || "-".to_owned();
    let bytes = |figure: u64| ByteSize(figure).to_string();
    let peer = if it.peer.is_empty() { "-" } else { &it.peer };
    vec![
        it.id.to_string(),
        peer.to_owned(),
        it.listener.clone(),
        it.service.clone(),
        it.generation.to_string(),
        age(short(Duration::from_millis(it.age_milliseconds))),
        age(Duration::from_secs(it.idle_seconds)),
        it.messages.map_or_else(absent, |it| it.to_string()),
        bytes(it.received_bytes),
        bytes(it.sent_bytes),
        it.unsent_bytes.map_or_else(absent, bytes),
        it.memory_bytes.map_or_else(absent, bytes),
        it.call_microseconds
            .map_or_else(absent, |it| age(Duration::from_micros(it))),
    ]
}

/// Nobody needs parts of seconds, except of the first.
fn short(time: Duration) -> Duration {
    match time.as_secs() {
        0 => time,
        seconds => Duration::from_secs(seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(id: u64, figure: u64) -> ConnectionStatus {
        ConnectionStatus {
            id,
            service: "calc".into(),
            transport: "tcp".into(),
            peer: "192.0.2.1:5555".into(),
            listener: "tcp://127.0.0.1:8888".into(),
            generation: 2,
            age_milliseconds: 61_500,
            idle_seconds: figure,
            received_bytes: 1536,
            sent_bytes: 10,
            messages: (figure > 0).then_some(figure),
            unsent_bytes: Some(0),
            memory_bytes: None,
            call_microseconds: None,
        }
    }

    #[test]
    fn the_text_is_aligned_and_has_what_was_measured() {
        let mut all = vec![connection(1, 0), connection(22, 5)];
        assert_eq!(
            text(&all),
            "\
ID  PEER            LISTENER              SERVICE  GENERATION  AGE    IDLE  MESSAGES  RECEIVED  SENT  UNSENT  MEMORY
1   192.0.2.1:5555  tcp://127.0.0.1:8888  calc     2           1m 1s  0s    -         1.5 KiB   10 B  0 B     -
22  192.0.2.1:5555  tcp://127.0.0.1:8888  calc     2           1m 1s  5s    5         1.5 KiB   10 B  0 B     -
"
        );
        all[1].call_microseconds = Some(1_500);
        assert!(text(&all).contains("  IN CALLS\n"), "{}", text(&all));
        assert!(
            text(&all).ends_with("  -       1ms 500us\n"),
            "{}",
            text(&all)
        );
    }

    #[test]
    fn the_largest_come_first_and_absent_figures_last() {
        let mut all = vec![connection(1, 0), connection(2, 5), connection(3, 7)];
        let ids = |all: &[ConnectionStatus]| all.iter().map(|it| it.id).collect::<Vec<_>>();
        Sort::Messages.apply(&mut all);
        assert_eq!(ids(&all), [3, 2, 1]);
        all.sort_by_key(|it| it.id);
        // Equals stay in the order of their ids.
        Sort::Bytes.apply(&mut all);
        assert_eq!(ids(&all), [1, 2, 3]);
    }
}
