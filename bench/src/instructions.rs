//! User-space instructions for a message, counted by callgrind. CPU time depends on what else the
//! machine does; this hardly does, so each row has a ceiling.
//!
//! The client runs outside valgrind. A server's instructions are counted once its connection is
//! warm, in batches, and the cheapest batch counts: whatever the clock or another order of events
//! changes, such as a tick of the epoch or of a timer within a call, is added to the usual way.
//! What the epoch thread executes is left out, as is every thread that does next to nothing for a
//! message.

use crate::process::Process;
use crate::servers::Demand;
use crate::{root, work};
use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::Write;
use std::process::Command;
use std::time::Duration;

/// Its name on the command line. Not part of a whole run, which is about time.
pub const GROUP: &str = "instructions";

/// What is counted, on one connection to one worker. A pool of more instances would need more
/// address space than valgrind has.
const ROWS: [(&str, &str); 9] = [
    ("native-plain", "@BUILT@/native-plain"),
    ("native-per-core", "@BUILT@/native-per-core"),
    (
        "responder",
        "@HOST@ @TCP@ --isolation connection @GUESTS@/echo.wasm",
    ),
    (
        "responder, shared",
        "@HOST@ @TCP@ --isolation shared @GUESTS@/echo.wasm",
    ),
    (
        "conversation",
        "@HOST@ @TCP@ @GUESTS@/echo-conversation.wasm",
    ),
    (
        "pipeline of two",
        "@HOST@ @TCP@ @GUESTS@/echo.wasm --then @GUESTS@/echo.wasm",
    ),
    (
        "responder, UDP",
        "@HOST@ --listen udp://127.0.0.1:0 --udp-max-sessions 2 @GUESTS@/echo.wasm",
    ),
    (
        "responder, WebSocket",
        "@HOST@ --listen ws://127.0.0.1:0 @GUESTS@/echo.wasm",
    ),
    (
        "responder, TLS",
        "@HOST@ --listen tls://127.0.0.1:0 --tls-self-signed @GUESTS@/echo.wasm",
    ),
];
const TCP: &str = "--listen tcp://127.0.0.1:0";
const HOST: &str = "@BUILT@/echo-host serve --workers 1 --sandbox off --no-control \
                    --log-level warn --max-connections 2 --cache @CACHE@";
const CALLGRIND: &str = "TOKIO_WORKER_THREADS=1 valgrind --tool=callgrind --separate-threads=yes \
                         --instr-atstart=no --compress-strings=no --compress-pos=no \
                         --vgdb-prefix=@WORK@/callgrind/vgdb \
                         --callgrind-out-file=@WORK@/callgrind/out";

const BATCHES: usize = 7;
const MESSAGES: u64 = 1000;
/// A thread with fewer instructions for each message does not serve.
const LEAST_TO_SERVE: u64 = 100;

/// How long a server may take to start, a reply to come, or valgrind to act.
const LIMIT: Duration = Duration::from_secs(60);

/// By how much a row may exceed what was measured when its ceiling was set. One machine repeats
/// within 0.3 %; another processor takes a little more or less.
const MARGIN: f64 = 1.04;
/// If this margin is met as well, the ceiling can be lowered.
const SLACK: f64 = 1.08;

/// Instructions by layer, and the first words of its functions' names.
type Layers = BTreeMap<String, f64>;
const LAYERS: [(&str, &[&str]); 6] = [
    ("wasmtime", &["wasmtime", "cranelift"]),
    ("tokio", &["tokio", "mio"]),
    ("own", &["echo_host", "native"]),
    ("std", &["std", "core", "alloc", "futures"]),
    ("copies", &["__mem"]),
    ("TLS", &["rustls", "aws_lc"]),
];
/// Code that is in no file: compiled from the component.
const GUEST: &str = "guest";
const REST: &str = "rest";

/// What bench/instructions.json has of a row.
#[derive(Serialize, Deserialize)]
struct Row {
    measured: u64,
    /// The command fails above it. It is only ever lowered.
    ceiling: u64,
    layers: BTreeMap<String, u64>,
}
type Rows = BTreeMap<String, Row>;

/// Every layer, in the order of the tables.
fn layer_names() -> [&'static str; LAYERS.len() + 2] {
    let mut names = [GUEST; LAYERS.len() + 2];
    for (name, (layer, _)) in names.iter_mut().zip(LAYERS) {
        *name = layer;
    }
    names[LAYERS.len() + 1] = REST;
    names
}

fn kept() -> Result<Rows> {
    let text = fs::read_to_string(root().join("bench/instructions.json"));
    let text = text.unwrap_or_else(|_| "{}".to_owned());
    serde_json::from_str(&text).context("bench/instructions.json")
}

/// For docs/performance/costs.md: what is kept of each row.
pub fn table() -> Result<String> {
    let (kept, names) = (kept()?, layer_names());
    let mut text = format!("| | all | {} |\n", names.join(" | "));
    text += &format!("|---|{}\n", "---|".repeat(names.len() + 1));
    for (name, _) in ROWS {
        let Some(row) = kept.get(name) else {
            continue;
        };
        let of = |layer| row.layers.get(layer).map_or("-".to_owned(), u64::to_string);
        let counts = names.map(of).join(" | ");
        text += &format!("| {name} | **{}** | {counts} |\n", row.measured);
    }
    Ok(text)
}

/// Counts all rows, prints them and compares them with their ceilings.
pub fn run() -> Result<()> {
    let kept = kept()?;
    let mut rows = Rows::new();
    let (mut above, mut below) = (Vec::new(), Vec::new());
    print!("{:<20}{:>9}{:>9} ", "", "measured", "ceiling");
    let names = layer_names();
    let headings = names.map(|it| format!("{it:>9}"));
    println!("{}", headings.concat());
    for (name, server) in ROWS {
        let layers = count(server).with_context(|| format!("cannot count {name}"))?;
        let total: f64 = layers.values().sum();
        let measured = total.round() as u64;
        let lower = (total * MARGIN).round() as u64;
        let ceiling = kept.get(name).map_or(0, |it| it.ceiling);
        print!("{name:<20}{measured:>9}{ceiling:>9} ");
        let of = |layer| layers.get(layer).copied().unwrap_or_default();
        let counts = names.map(|it| format!("{:>9.0}", of(it)));
        println!("{}", counts.concat());
        if measured > ceiling {
            above.push(name);
        } else if total * SLACK < ceiling as f64 {
            below.push(name);
        }
        let layers = layers
            .into_iter()
            .map(|(layer, it)| (layer, it.round() as u64));
        let row = Row {
            measured,
            ceiling: if ceiling == 0 {
                lower
            } else {
                ceiling.min(lower)
            },
            layers: layers.collect(),
        };
        rows.insert(name.to_owned(), row);
    }
    // One row in each line.
    let text = serde_json::to_string(&rows)?.replace("}},", "}},\n");
    fs::write(work().join("instructions.json"), text + "\n")?;
    if !above.is_empty() {
        bail!("more instructions than the ceiling in bench/instructions.json: {above:?}");
    }
    if !below.is_empty() {
        eprintln!("==> well below the ceiling: {below:?}");
        eprintln!("hint: lower it: cp target/bench/instructions.json bench/instructions.json");
    }
    Ok(())
}

/// Instructions for a message by layer, of the cheapest batch.
fn count(server: &str) -> Result<Layers> {
    let folder = work().join("callgrind");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let words = format!("{CALLGRIND} {server}")
        .replace("@HOST@", HOST)
        .replace("@TCP@", TCP);
    let words = Demand::of(0).fill(&words, 0);
    let host = env::current_exe()?.with_file_name("echo-host");
    for handler in words.split_whitespace().filter(|it| it.ends_with(".wasm")) {
        // The host compiles in another process first, which it cannot start in valgrind.
        let mut check = Command::new(&host);
        check.args(["check", "--cache"]).arg(work().join("cache"));
        Process::start(check.arg(handler), "callgrind")?.end(LIMIT)?;
    }
    let mut server = Command::new("env");
    let server = Process::start(server.args(words.split_whitespace()), "callgrind")?;
    let line = server
        .line(LIMIT)
        .context("see target/bench/logs/callgrind.log")?;
    let address = line
        .strip_prefix("listening on ")
        .context("it listens nowhere")?;
    let mut client = Command::new(host);
    client.args(["connect", "--insecure", address]);
    let mut client = Process::start(&mut client, "callgrind-client")?;
    exchange(&mut client)?;
    control(&server, "--instr=on")?;
    exchange(&mut client)?;
    control(&server, "--zero")?;
    let mut batches = Vec::new();
    for _ in 0..BATCHES {
        exchange(&mut client)?;
        control(&server, "--dump")?;
        let mut layers = Layers::new();
        for file in fs::read_dir(&folder)? {
            let path = file?.path();
            if path.to_string_lossy().contains("/out.") {
                add_thread(&mut layers, &String::from_utf8_lossy(&fs::read(&path)?));
                fs::remove_file(path)?;
            }
        }
        ensure!(!layers.is_empty(), "callgrind has counted nothing");
        batches.push(layers);
    }
    let total = |layers: &Layers| layers.values().sum::<f64>();
    let cheapest = batches
        .into_iter()
        .min_by(|a, b| total(a).total_cmp(&total(b)));
    cheapest.context("there is no batch")
}

/// Sends a batch of messages, each after the reply to the last one.
fn exchange(client: &mut Process) -> Result<()> {
    let message = "m".repeat(63);
    for _ in 0..MESSAGES {
        client
            .input()?
            .write_all(format!("{message}\n").as_bytes())?;
        let reply = client.line(LIMIT)?;
        ensure!(reply == message, "the reply differs from the message");
    }
    Ok(())
}

/// Gives valgrind an order, and waits until it is carried out.
fn control(server: &Process, order: &str) -> Result<()> {
    let mut control = Command::new("callgrind_control");
    let prefix = work().join("callgrind/vgdb");
    control.arg(format!("--vgdb-prefix={}", prefix.display()));
    control.args([order, &server.pid().to_string()]);
    Process::start(&mut control, "callgrind")?.end(LIMIT)
}

/// Adds what a thread that serves has executed for each message, by callgrind's file of it.
fn add_thread(layers: &mut Layers, file: &str) {
    let mut own = BTreeMap::<&str, u64>::new();
    let (mut object, mut layer) = ("", REST);
    let mut lines = file.lines();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("ob=") {
            object = name;
        } else if let Some(name) = line.strip_prefix("fn=") {
            layer = if object == "???" {
                GUEST
            } else {
                layer_of(name)
            };
        } else if line.starts_with("calls=") {
            // What the called function has executed, which is counted there.
            lines.next();
        } else if let Some((position, count)) = line.split_once(' ')
            && position.parse::<u64>().is_ok()
        {
            *own.entry(layer).or_default() += count.parse().unwrap_or(0);
        }
    }
    if own.values().sum::<u64>() >= LEAST_TO_SERVE * MESSAGES {
        for (layer, count) in own {
            *layers.entry(layer.to_owned()).or_default() += count as f64 / MESSAGES as f64;
        }
    }
}

/// By the crate of a function, or of the type that it is a method of.
fn layer_of(function: &str) -> &'static str {
    let name = function.trim_start_matches(|it: char| !it.is_alphanumeric() && it != '_');
    let of = |words: &[&str]| words.iter().any(|word| name.starts_with(word));
    let layer = LAYERS.iter().find(|(_, words)| of(words));
    // `<F as core::future::Future>::poll`: of a type that the name does not tell.
    let is_generic = name.contains(" as core::");
    layer.map_or(if is_generic { "std" } else { REST }, |it| it.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threads_own_instructions_are_counted_by_layer() {
        let file = "summary: 1\n\nob=/bin/host\nfl=???\nfn=<tokio::net::Tcp as std::Read>::read\n\
                    0 400000\ncfn=__memcpy_avx\ncalls=9 0\n0 777777\n0 100000\n\nfn=F<G>\n0 1000\n\
                    fn=<&mut T as core::future::Future>::poll'2\n0 2000\n\
                    ob=???\nfn=0x000123\n0 5000\n";
        let mut layers = Layers::new();
        add_thread(&mut layers, file);
        // A thread that does not serve.
        add_thread(&mut layers, "fn=main\n0 9000\n");
        let expected = [
            ("guest", 5.0),
            ("rest", 1.0),
            ("std", 2.0),
            ("tokio", 500.0),
        ];
        let expected = expected.map(|(layer, count)| (layer.to_owned(), count));
        assert_eq!(layers, Layers::from(expected));
    }
}
