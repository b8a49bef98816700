//! `echo-host status`.

use super::control::HostArg;
use super::history::{history, last_swaps};
use super::output;
use super::printable::printable;
use super::table::{age, table};
use super::watch;
use bytesize::ByteSize;
use clap::Args;
use daemon::control::{
    ControlError, GenerationState, GenerationStatus, RefusalStatus, RefusedReload, Reply, Request,
    ServiceStatus, Status, WarningStatus, WorkerStatus, request,
};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Show the state of a running host
///
/// Prints its listeners, connections and the generations of its handlers.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct StatusArgs {
    /// Print one line of JSON; names of figures end in their unit
    #[arg(long)]
    json: bool,
    /// Print it again each second, until Ctrl-C
    #[arg(long)]
    watch: bool,
    /// Show the versions that were current: since when, until when and why they ended
    #[arg(long, conflicts_with = "json")]
    history: bool,
    #[command(flatten)]
    host: HostArg,
}

const EXAMPLES: &str = "\
Examples:
  echo-host status
  echo-host status --watch
  echo-host status --history
  echo-host status --json | jq .connections.open
  echo-host status --control /run/user/1000/echo-host/4711.sock";

pub fn run(args: &StatusArgs) -> anyhow::Result<()> {
    let path = args.host.path()?;
    if args.watch {
        return watch::run(|| report(args, &path));
    }
    output::print(report(args, &path)?, "the status")
}

/// The status of the host behind this socket.
fn report(args: &StatusArgs, path: &Path) -> anyhow::Result<String> {
    let Reply::Status(status) = request(path, &Request::Status, &[])? else {
        let what = "not a reply to this request".into();
        let path = path.to_owned();
        return Err(ControlError::Answer { path, what }.into());
    };
    Ok(if args.json {
        serde_json::to_string(&status)? + "\n"
    } else if args.history {
        printable(&history(&status))
    } else {
        printable(&text(&status, SystemTime::now()))
    })
}

fn text(status: &Status, now: SystemTime) -> String {
    let mut lines = vec![(
        "host",
        format!(
            "echo-host {}{}, process {}, up {}{}",
            status.version,
            (status.commit.as_ref()).map_or(String::new(), |commit| format!(" ({commit})")),
            status.pid,
            age(since(status.started_unix_seconds, now)),
            (status.resident_bytes).map_or(String::new(), |bytes| format!(
                ", {} of memory",
                ByteSize(bytes)
            ))
        ),
    )];
    // A single service needs no name.
    let named = status.services.len() > 1;
    for listener in &status.listeners {
        let service = if named {
            format!(" ({})", listener.service)
        } else {
            String::new()
        };
        let open = listener.connections;
        lines.push((
            "listening",
            format!("{}{service}, {open} open", listener.uri),
        ));
    }
    lines.extend(counts(status));
    lines.extend(workers(&status.workers).map(|text| ("workers", text)));
    lines.extend(call_times(&status.services).map(|text| ("call times", text)));
    lines.extend(shed(status));
    lines.extend(last_swaps(status));
    lines.push(("refused swaps", refusals(status, now)));
    if let Some(refused) = &status.last_refused_reload {
        lines.push(("refused reloads", refused_reloads(status, refused, now)));
    }
    for warning in &status.last_warnings {
        lines.push(("warning", told(warning, now)));
    }
    let mut text = String::new();
    for (name, value) in lines {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name:<14} {value}");
    }
    if named {
        text += &table(&service_rows(&status.services));
    }
    text + &table(&generation_rows(&status.generations, named))
}

fn counts(status: &Status) -> [(&'static str, String); 4] {
    let (connections, slots) = (status.connections, status.slots);
    // Not the default, so the operator is reminded of it.
    let scanned = if status.wipe == "scan" {
        ", not all is wiped for the next (wipe: scan)"
    } else {
        ""
    };
    let traffic = format!(
        "{} received, {} sent, {} messages",
        ByteSize(status.received_bytes),
        ByteSize(status.sent_bytes),
        status.messages
    );
    [
        (
            "connections",
            format!("{} open, {} in all", connections.open, connections.total),
        ),
        (
            "instances",
            format!("{} of {} slots taken{scanned}", slots.taken, slots.total),
        ),
        ("traffic", traffic),
        ("failed calls", status.failed_calls.to_string()),
    ]
}

/// The connections of each worker, unless the host is older than these figures.
fn workers(workers: &[WorkerStatus]) -> Option<String> {
    let each = workers.iter().map(|worker| {
        let busy = if worker.busy { " (busy)" } else { "" };
        format!("{}: {} open{busy}", worker.number, worker.connections)
    });
    (!workers.is_empty()).then(|| each.collect::<Vec<_>>().join(", "))
}

/// What clients were refused, if anything.
fn shed(status: &Status) -> impl Iterator<Item = (&'static str, String)> {
    let turned_away = (status.turned_away > 0).then(|| format!("{} clients", status.turned_away));
    let lines = [
        ("turned away", turned_away),
        ("limits", reached(&status.limits_reached)),
        ("dropped", reached(&status.dropped_datagrams)),
    ];
    let lines = lines.into_iter();
    lines.filter_map(|(name, text)| Some((name, text?)))
}

/// The counts above zero, if any.
fn reached(counts: &BTreeMap<String, u64>) -> Option<String> {
    let reached = counts.iter().filter(|(_, count)| **count > 0);
    let reached: Vec<_> = reached
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    (!reached.is_empty()).then(|| reached.join(", "))
}

fn refusals(status: &Status, now: SystemTime) -> String {
    match &status.last_refusal {
        None => status.refused_swaps.to_string(),
        Some(RefusalStatus {
            at_unix_seconds,
            handler,
            reason,
        }) => format!(
            "{}, the last {} ago: {handler}: {reason}",
            status.refused_swaps,
            age(since(*at_unix_seconds, now))
        ),
    }
}

fn refused_reloads(status: &Status, last: &RefusedReload, now: SystemTime) -> String {
    let ago = age(since(last.at_unix_seconds, now));
    format!(
        "{}, the last {ago} ago: {}",
        status.refused_reloads, last.reason
    )
}

fn told(warning: &WarningStatus, now: SystemTime) -> String {
    let ago = age(since(warning.at_unix_seconds, now));
    let times = match warning.times {
        1 => String::new(),
        times => format!(", {times} times"),
    };
    let service = warning.service.as_ref();
    let service = service.map_or(String::new(), |name| format!("{name}: "));
    format!("{ago} ago{times}: {service}{}", warning.message)
}

/// How long half of the calls of all services took, and nearly all, if there were any.
fn call_times(services: &[ServiceStatus]) -> Option<String> {
    let times = services.iter().map(|it| &it.calls.microseconds);
    let mut by_time = BTreeMap::new();
    for it in times.flat_map(|it| &it.counts) {
        let up_to = it.up_to.unwrap_or(u64::MAX);
        *by_time.entry(up_to).or_insert(0) += it.count;
    }
    let all: u64 = by_time.values().sum();
    let within = |percent: u64| {
        let mut sum = 0;
        let mut bounds = by_time.iter();
        let (up_to, _) = bounds.find(|(_, calls)| {
            sum += **calls;
            sum * 100 >= all * percent
        })?;
        Some(match *up_to {
            u64::MAX => "longer than counted".to_owned(),
            up_to => age(Duration::from_micros(up_to)),
        })
    };
    (all > 0).then(|| {
        Some(format!(
            "50% within {}, 99% within {}",
            within(50)?,
            within(99)?
        ))
    })?
}

fn service_rows(services: &[ServiceStatus]) -> Vec<Vec<String>> {
    let head = ["SERVICE", "OPEN", "IN ALL", "MESSAGES", "FAILED CALLS"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(services.iter().map(|service| {
        vec![
            service.name.clone(),
            service.connections.open.to_string(),
            service.connections.total.to_string(),
            service.messages.to_string(),
            service.failed_calls.to_string(),
        ]
    }));
    rows
}

fn generation_rows(generations: &[GenerationStatus], named: bool) -> Vec<Vec<String>> {
    let head = [
        "SERVICE",
        "GENERATION",
        "STATE",
        "CONNECTIONS",
        "FAILED CALLS",
        "AGE",
        "SHA-256",
        "HANDLER",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(generations.iter().map(|generation| {
        vec![
            generation.service.clone(),
            generation.number.to_string(),
            state(generation.state).to_owned(),
            generation.connections.to_string(),
            generation.failed_calls.to_string(),
            age(Duration::from_secs(generation.age_seconds)),
            generation.sha256.chars().take(12).collect(),
            generation.handler.clone(),
        ]
    }));
    if !named {
        for row in &mut rows {
            row.remove(0);
        }
    }
    rows
}

fn state(state: GenerationState) -> &'static str {
    match state {
        GenerationState::Current => "current",
        GenerationState::Previous => "previous",
        GenerationState::Old => "old",
    }
}

/// A clock may be set back: then it was just now.
fn since(unix_seconds: u64, now: SystemTime) -> Duration {
    let now = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    Duration::from_secs(now.as_secs().saturating_sub(unix_seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use daemon::control::{
        CallStatus, ConnectionCounts, CountStatus, DistributionStatus, ListenerStatus, SlotCounts,
    };

    fn generation(number: u64, state: GenerationState, age_seconds: u64) -> GenerationStatus {
        GenerationStatus {
            service: "calc".into(),
            number,
            state,
            handler: format!("/srv/calc-{number}.wasm"),
            sha256: "0123456789abcdef".repeat(4),
            age_seconds,
            connections: 12,
            failed_calls: 0,
            calls: CallStatus::default(),
            connection_milliseconds: DistributionStatus::default(),
        }
    }

    fn service(name: &str) -> ServiceStatus {
        ServiceStatus {
            name: name.to_owned(),
            connections: ConnectionCounts { open: 3, total: 4 },
            received_bytes: 5,
            sent_bytes: 6,
            messages: 7,
            turned_away: 0,
            failed_calls: 0,
            refused_swaps: 0,
            calls: CallStatus {
                microseconds: DistributionStatus {
                    sum: 500,
                    counts: [(Some(30), 98), (Some(100), 1), (None, 1)]
                        .map(|(up_to, count)| CountStatus { up_to, count })
                        .into(),
                },
                ..CallStatus::default()
            },
        }
    }

    /// A host with one service, at a time 100 seconds after its start.
    fn status() -> (Status, SystemTime) {
        let status = Status {
            pid: 4711,
            version: "0.1.0".into(),
            commit: Some("0123abc".into()),
            uptime_seconds: 100,
            resident_bytes: Some(50 << 20),
            started_unix_seconds: 1_000_000,
            services: vec![service("calc")],
            listeners: vec![ListenerStatus {
                uri: "tcp://127.0.0.1:8888".into(),
                service: "calc".into(),
                connections: 3,
            }],
            versions: Vec::new(),
            generations: vec![
                generation(10, GenerationState::Current, 62),
                generation(9, GenerationState::Previous, 4000),
            ],
            connections: ConnectionCounts {
                open: 24,
                total: 99,
            },
            workers: [(11, false), (13, true)]
                .into_iter()
                .zip(0..)
                .map(|((connections, busy), number)| WorkerStatus {
                    number,
                    connections,
                    busy,
                })
                .collect(),
            slots: SlotCounts {
                taken: 23,
                total: 1004,
            },
            wipe: "scan".into(),
            received_bytes: 1536,
            sent_bytes: 10,
            messages: 100,
            turned_away: 0,
            failed_calls: 1,
            limits_reached: [("max-message".into(), 3), ("timers".into(), 0)].into(),
            dropped_datagrams: BTreeMap::new(),
            refused_swaps: 2,
            last_refusal: Some(RefusalStatus {
                at_unix_seconds: 1_000_090,
                handler: "/srv/bad.wasm".into(),
                reason: "no component".into(),
            }),
            refused_reloads: 0,
            last_refused_reload: None,
            last_warnings: [1, 12]
                .map(|times| WarningStatus {
                    at_unix_seconds: 1_000_090,
                    level: "warn".into(),
                    service: (times > 1).then(|| "calc".into()),
                    message: "the store is full".into(),
                    times,
                })
                .into(),
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_100);
        (status, now)
    }

    #[test]
    fn the_text_is_aligned() {
        let (status, now) = status();
        assert_eq!(
            text(&status, now),
            "\
host           echo-host 0.1.0 (0123abc), process 4711, up 1m 40s, 50.0 MiB of memory
listening      tcp://127.0.0.1:8888, 3 open
connections    24 open, 99 in all
instances      23 of 1004 slots taken, not all is wiped for the next (wipe: scan)
traffic        1.5 KiB received, 10 B sent, 100 messages
failed calls   1
workers        0: 11 open, 1: 13 open (busy)
call times     50% within 30us, 99% within 100us
limits         max-message 3
refused swaps  2, the last 10s ago: /srv/bad.wasm: no component
warning        10s ago: the store is full
warning        10s ago, 12 times: calc: the store is full

GENERATION  STATE     CONNECTIONS  FAILED CALLS  AGE        SHA-256       HANDLER
10          current   12           0             1m 2s      0123456789ab  /srv/calc-10.wasm
9           previous  12           0             1h 6m 40s  0123456789ab  /srv/calc-9.wasm
"
        );
    }

    #[test]
    fn several_services_are_told_apart() {
        let (mut status, now) = status();
        status.services.push(service("chat"));
        status.generations.truncate(1);
        status.last_warnings.clear();
        status.refused_reloads = 1;
        status.last_refused_reload = Some(RefusedReload {
            at_unix_seconds: 1_000_095,
            reason: "unknown key".into(),
        });
        let text = text(&status, now);
        let (_, several) = text.split_once("component\n").unwrap();
        assert_eq!(
            several,
            "\
refused reloads 1, the last 5s ago: unknown key

SERVICE  OPEN  IN ALL  MESSAGES  FAILED CALLS
calc     3     4       7         0
chat     3     4       7         0

SERVICE  GENERATION  STATE    CONNECTIONS  FAILED CALLS  AGE    SHA-256       HANDLER
calc     10          current  12           0             1m 2s  0123456789ab  /srv/calc-10.wasm
"
        );
    }
}
