//! What is compared: the host as it can be run, native servers, and others that echo.

use crate::process::Process;
use crate::{root, work};
use anyhow::{Context, Result, bail};
use std::env;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// How long a server may take until it can be connected to. Without a cache the host compiles
/// first.
const START_LIMIT: Duration = Duration::from_secs(60);

/// More connections than are asked for: the generator tries the server with one more, and a
/// connection may be closing while the next is open.
const SPARE_CONNECTIONS: u32 = 100;

/// A server that echoes. What stands between two `@` in its words, and in the files of `peers/`,
/// is filled in when it is started.
#[derive(Clone, Copy)]
pub struct Server {
    /// In tables, results and on the command line. It begins with `native-` for those of this
    /// crate, and with `host-` for the host.
    pub name: &'static str,
    program: &'static str,
    arguments: &'static str,
    /// How it prints its version: nothing if it has none.
    version: &'static str,
}

/// Natives first and peers last.
pub const SERVERS: [Server; 15] = [
    // tokio as everybody writes it.
    server("native-plain", "@BUILT@/native-plain", "", ""),
    // The best there is without unsafe code.
    server("native-per-core", "@BUILT@/native-per-core", "", ""),
    host("host-built-in", "--no-control"),
    // An instance for each connection.
    host(
        "host-rust",
        "--no-control --isolation connection @GUESTS@/echo.wasm",
    ),
    // Measured only where instances are made.
    host(
        "host-rust-scan",
        "--no-control --isolation connection --wipe scan @GUESTS@/echo.wasm",
    ),
    host(
        "host-rust-shared",
        "--no-control --isolation shared @GUESTS@/echo.wasm",
    ),
    host(
        "host-rust-message",
        "--no-control --isolation message @GUESTS@/echo.wasm",
    ),
    host(
        "host-conversation",
        "--no-control @GUESTS@/echo-conversation.wasm",
    ),
    host(
        "host-javascript",
        "--no-control @ROOT@/target/bench-js/echo.wasm",
    ),
    server(
        "asyncio",
        "python3",
        "@PEERS@/echo.py asyncio @PORT@",
        "--version",
    ),
    server(
        "uvloop",
        "@ROOT@/target/tools/python/bin/python",
        "@PEERS@/echo.py uvloop @PORT@",
        "-m pip show uvloop",
    ),
    server("haproxy-lua", "haproxy", "-db -f @PEERS@/haproxy.cfg", "-v"),
    server(
        "nginx-njs",
        "nginx",
        "-c @PEERS@/nginx.conf -p @PEERS@",
        "-v",
    ),
    server(
        "socat",
        "socat",
        "TCP-LISTEN:@PORT@,bind=127.0.0.1,backlog=1024,reuseaddr,fork,nodelay EXEC:cat",
        "-V",
    ),
    server(
        "ncat",
        "ncat",
        "--listen --keep-open --max-conns @CONNECTIONS@ --exec /bin/cat 127.0.0.1 @PORT@",
        "--version",
    ),
];

/// The host with a handler and more options.
pub const fn host(name: &'static str, arguments: &'static str) -> Server {
    server(name, "@BUILT@/echo-host", arguments, "--version")
}

const fn server(
    name: &'static str,
    program: &'static str,
    arguments: &'static str,
    version: &'static str,
) -> Server {
    Server {
        name,
        program,
        arguments,
        version,
    }
}

/// `echo-host serve`. The others write no log either.
const SERVE: &str = "serve --listen tcp://127.0.0.1:0 --log-level warn --cache @CACHE@ \
                     --max-connections @CONNECTIONS@ --max-connections-per-ip off";

pub fn is_native(name: &str) -> bool {
    name.starts_with("native-")
}

/// Whether it is neither the host nor of this crate.
pub fn is_peer(name: &str) -> bool {
    SERVERS.iter().any(|it| it.name == name) && !is_native(name) && !name.starts_with("host-")
}

/// What a server has to be ready for.
#[derive(Clone, Copy)]
pub struct Demand {
    /// Connections at once.
    pub connections: u32,
    /// The length of a message.
    pub message_bytes: usize,
    /// Whether the host may use cached compiled code.
    pub cache: bool,
}

impl Demand {
    pub fn of(connections: u32) -> Self {
        Demand {
            connections,
            message_bytes: 64,
            cache: true,
        }
    }

    /// Fills in a text.
    pub fn fill(&self, text: &str, port: u16) -> String {
        let path = |path: &Path| path.display().to_string();
        let own = env::current_exe().unwrap_or_default();
        let cache = if self.cache {
            path(&work().join("cache"))
        } else {
            "off".to_owned()
        };
        let connections = self.connections.max(1000) + SPARE_CONNECTIONS;
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let values = [
            ("@BUILT@", path(own.parent().unwrap_or(root()))),
            ("@GUESTS@", path(&root().join("target/guests"))),
            ("@ROOT@", path(root())),
            ("@PEERS@", path(&work().join("peers"))),
            ("@WORK@", path(&work())),
            ("@CACHE@", cache),
            ("@CONNECTIONS@", connections.to_string()),
            ("@BYTES@", self.message_bytes.to_string()),
            ("@THREADS@", threads.to_string()),
            ("@PORT@", port.to_string()),
        ];
        let fill = |text: String, (name, value): (&str, String)| text.replace(name, &value);
        values.into_iter().fold(text.to_owned(), fill)
    }
}

impl Server {
    pub fn named(name: &str) -> Option<Self> {
        SERVERS.into_iter().find(|it| it.name == name)
    }

    /// A command of its program.
    fn command(&self, arguments: &str, demand: &Demand, port: u16) -> Command {
        let mut command = Command::new(demand.fill(self.program, port));
        let words = arguments.split_whitespace();
        command.args(words.map(|word| demand.fill(word, port)));
        // Servers are in a folder that not every PATH has.
        let path = env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{path}:/usr/sbin"));
        command
    }

    /// Its version, or why it cannot be started here.
    pub fn version(&self) -> Result<String> {
        let demand = Demand::of(0);
        for word in self.arguments.split(' ').filter(|it| it.ends_with(".wasm")) {
            let handler = demand.fill(word, 0);
            fs::metadata(&handler).with_context(|| format!("cannot read {handler}"))?;
        }
        match self.version {
            "" => Ok(String::new()),
            how => first_line(&mut self.command(how, &demand, 0))
                .with_context(|| format!("{} is missing", demand.fill(self.program, 0))),
        }
    }
}

/// The first line with a number that a program prints. Some begin with their author, some print it
/// on stderr.
pub fn first_line(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|it| it.status.success())?;
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed);
    let has_number = |line: &&str| line.contains(|it: char| it.is_ascii_digit());
    let mut lines = printed.lines().map(str::trim).filter(has_number);
    let line = lines.find(|line| !line.contains("Copyright"))?;
    Some(line.to_owned())
}

/// A server that can be connected to.
pub struct Running {
    pub process: Process,
    pub address: SocketAddr,
}

impl Running {
    pub fn start(server: &Server, demand: &Demand) -> Result<Self> {
        let started = Running::try_start(server, demand);
        started.with_context(|| format!("cannot start {}", server.name))
    }

    fn try_start(server: &Server, demand: &Demand) -> Result<Self> {
        // Nobody else is likely to take the port meanwhile: the system assigns them in turn.
        let told = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let folder = work().join("peers");
        // The previous one was killed and could not tidy up.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        for file in fs::read_dir(root().join("bench/peers"))? {
            let text = fs::read_to_string(file.as_ref().map_or(root().into(), fs::DirEntry::path))?;
            fs::write(
                folder.join(file?.file_name()),
                demand.fill(&text, told.port()),
            )?;
        }
        let serve = if server.program.ends_with("/echo-host") {
            SERVE
        } else {
            ""
        };
        let arguments = [serve, server.arguments].join(" ");
        let mut command = server.command(&arguments, demand, told.port());
        let mut process = Process::start(&mut command, server.name)?;
        // The host and the native servers choose a port and print it; the others are told one.
        if !is_peer(server.name) {
            let line = process.line(START_LIMIT)?;
            let address = line.strip_prefix("listening on tcp://");
            let address = address.with_context(|| format!("it printed {line}"))?;
            let address = address.parse()?;
            return Ok(Running { process, address });
        }
        let begun = Instant::now();
        while TcpStream::connect(told).is_err() {
            if !process.lives() {
                bail!("it ended at once: see target/bench/logs");
            }
            if begun.elapsed() > START_LIMIT {
                bail!("it does not listen");
            }
            thread::sleep(Duration::from_millis(5));
        }
        let address = told;
        Ok(Running { process, address })
    }
}
