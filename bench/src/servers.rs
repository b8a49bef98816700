//! What is compared: the host as it can be run, native servers, and others that echo.

use crate::place::{self, guest};
use crate::process::Process;
use Server::*;
use anyhow::{Context, Result, bail};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// How long a server may take until it can be connected to. Without a cache the host compiles
/// first.
const START_LIMIT: Duration = Duration::from_secs(60);

/// More connections than are asked for: the generator tries the server with one more, and a
/// connection may be closing while the next is open.
const SPARE_CONNECTIONS: u32 = 100;

/// A server that echoes, natives first and peers last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// Of this crate: tokio as everybody writes it.
    NativePlain,
    /// Of this crate: the best there is without unsafe code.
    NativePerCore,
    /// The host with its built-in echo.
    HostBuiltIn,
    /// The host with guest/echo, an instance for each connection.
    HostRust,
    /// The same with one instance for all.
    HostRustShared,
    /// The same with an instance for each message.
    HostRustMessage,
    /// The host with guest/echo-conversation.
    HostConversation,
    /// The host with an echo in JavaScript.
    HostJavaScript,
    Asyncio,
    Uvloop,
    HaproxyLua,
    NginxNjs,
    Socat,
    Ncat,
}

impl Server {
    /// In the order of the enum, with their names in tables, results and on the command line.
    pub const ALL: [(&'static str, Server); 14] = [
        ("native-plain", NativePlain),
        ("native-per-core", NativePerCore),
        ("host-built-in", HostBuiltIn),
        ("host-rust", HostRust),
        ("host-rust-shared", HostRustShared),
        ("host-rust-message", HostRustMessage),
        ("host-conversation", HostConversation),
        ("host-javascript", HostJavaScript),
        ("asyncio", Asyncio),
        ("uvloop", Uvloop),
        ("haproxy-lua", HaproxyLua),
        ("nginx-njs", NginxNjs),
        ("socat", Socat),
        ("ncat", Ncat),
    ];

    pub fn name(self) -> &'static str {
        Server::ALL[self as usize].0
    }

    pub fn named(name: &str) -> Option<Self> {
        let mut all = Server::ALL.into_iter();
        all.find_map(|(own, server)| (own == name).then_some(server))
    }

    pub fn is_native(self) -> bool {
        matches!(self, NativePlain | NativePerCore)
    }

    /// Whether it is neither the host nor of this crate.
    pub fn is_peer(self) -> bool {
        self as usize >= Asyncio as usize
    }

    /// Whether it has processes of its own for each connection.
    pub fn forks(self) -> bool {
        matches!(self, Socat | Ncat)
    }

    /// The program of a peer.
    pub fn program(self) -> PathBuf {
        match self {
            Asyncio => place::program("python3"),
            Uvloop => place::uvloop_python(),
            HaproxyLua => place::program("haproxy"),
            NginxNjs => place::program("nginx"),
            peer => place::program(peer.name()),
        }
    }

    /// What the host serves; `None` for its built-in echo.
    fn handler(self) -> Option<PathBuf> {
        match self {
            HostRust | HostRustShared | HostRustMessage => Some(guest("echo")),
            HostConversation => Some(guest("echo-conversation")),
            HostJavaScript => Some(place::root().join("target/bench-js/echo.wasm")),
            _ => None,
        }
    }

    /// Why it cannot be started here, if so.
    pub fn missing(self) -> Option<String> {
        let modules = "/usr/lib/nginx/modules/ngx_stream_module.so /usr/lib/nginx/modules/ngx_stream_js_module.so";
        let needed = match self {
            native if native.is_native() => vec![place::built(native.name())],
            NginxNjs => modules
                .split(' ')
                .map(PathBuf::from)
                .chain([self.program()])
                .collect(),
            peer if peer.is_peer() => vec![peer.program()],
            host => [place::built("echo-host")]
                .into_iter()
                .chain(host.handler())
                .collect(),
        };
        if let Some(missing) = needed.iter().find(|file| !file.is_file()) {
            return Some(format!("{} is missing", missing.display()));
        }
        let import = || {
            Command::new(self.program())
                .args(["-c", "import uvloop"])
                .output()
        };
        let lacks = self == Uvloop && !import().is_ok_and(|it| it.status.success());
        lacks.then(|| "missing package uvloop".to_owned())
    }

    /// How it is started. Some print their port, the others are told one.
    fn command(self, demand: &Demand) -> Result<(Command, Option<SocketAddr>)> {
        let mut command = match self {
            native if native.is_native() => Command::new(place::built(native.name())),
            peer if peer.is_peer() => Command::new(peer.program()),
            _ => host(demand.connections, demand.cache),
        };
        // Nobody else is likely to take the port meanwhile: the system assigns them in turn.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let port = address.port().to_string();
        let threads = thread::available_parallelism()?.to_string();
        match self {
            NativePlain | NativePerCore => return Ok((command, None)),
            Asyncio | Uvloop => {
                command.arg(place::peer("echo.py")).arg(self.name());
                return Ok((command, None));
            }
            HaproxyLua => {
                command.arg("-db").arg("-f").arg(place::peer("haproxy.cfg"));
                command.env("ECHO_PORT", port).env("ECHO_THREADS", threads);
                command.env("ECHO_BYTES", demand.message_bytes.to_string());
                command.env("ECHO_LUA", place::peer("echo.lua"));
            }
            NginxNjs => {
                command.arg("-c").arg(nginx_configuration(&port, &threads)?);
                command.arg("-p").arg(place::work().join("nginx"));
            }
            Socat => {
                let options = "bind=127.0.0.1,backlog=1024,reuseaddr,fork,nodelay";
                command.args([&format!("TCP-LISTEN:{port},{options}"), "EXEC:cat"]);
            }
            Ncat => {
                let most = (demand.connections + SPARE_CONNECTIONS).to_string();
                command.args(["--listen", "--keep-open", "--max-conns", &most]);
                command.arg("--exec").arg(place::program("cat"));
                command.args(["127.0.0.1", &port]);
            }
            _ => {
                let isolation = match self {
                    HostRustShared => "shared",
                    HostRustMessage => "message",
                    _ => "connection",
                };
                command.args(["--no-control", "--isolation", isolation]);
                command.args(self.handler());
                return Ok((command, None));
            }
        }
        Ok((command, Some(address)))
    }
}

/// `echo-host serve`, without its handler.
pub fn host(connections: u32, cache: bool) -> Command {
    let mut command = Command::new(place::built("echo-host"));
    // The others write no log either.
    command.args([
        "serve",
        "--listen",
        "tcp://127.0.0.1:0",
        "--log-level",
        "warn",
    ]);
    let connections = connections.max(1000) + SPARE_CONNECTIONS;
    command.args(["--max-connections", &connections.to_string()]);
    command.args(["--max-connections-per-ip", "off", "--cache"]);
    command.arg(if cache { place::cache() } else { "off".into() });
    command
}

/// nginx has no variables where they are needed here, so its configuration is filled in.
fn nginx_configuration(port: &str, threads: &str) -> Result<PathBuf> {
    let folder = place::work().join("nginx");
    let text = fs::read_to_string(place::peer("nginx.conf"))?
        .replace("@PORT@", port)
        .replace("@THREADS@", threads)
        .replace("@FOLDER@", &folder.display().to_string())
        .replace("@NJS@", &place::peer("echo.js").display().to_string());
    // The previous one was killed and could not tidy up.
    let _ = fs::remove_file(folder.join("silent"));
    fs::create_dir_all(&folder)?;
    let file = folder.join("nginx.conf");
    fs::write(&file, text)?;
    Ok(file)
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
}

/// A server that can be connected to.
pub struct Running {
    pub process: Process,
    pub address: SocketAddr,
}

impl Running {
    pub fn start(server: Server, demand: &Demand) -> Result<Self> {
        let (command, address) = server.command(demand)?;
        let started = Running::spawn(command, address, server.name());
        started.with_context(|| format!("cannot start {}", server.name()))
    }

    /// Starts a server that listens here, or prints where it does.
    pub fn spawn(command: Command, address: Option<SocketAddr>, log: &str) -> Result<Self> {
        let mut process = Process::start(command, log)?;
        let address = match address {
            None => process.address(START_LIMIT)?,
            Some(address) => {
                wait_for(address, &mut process)?;
                address
            }
        };
        Ok(Running { process, address })
    }
}

fn wait_for(address: SocketAddr, process: &mut Process) -> Result<()> {
    let begun = Instant::now();
    while TcpStream::connect(address).is_err() {
        if !process.lives() {
            bail!("it ended at once");
        }
        if begun.elapsed() > START_LIMIT {
            bail!("it does not listen");
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_have_one_name_and_each_is_what_it_is() {
        for (index, (name, server)) in Server::ALL.into_iter().enumerate() {
            assert_eq!(server as usize, index);
            assert_eq!(Server::named(name), Some(server), "{name} is there twice");
            let kinds = [
                server.is_native(),
                name.starts_with("host-"),
                server.is_peer(),
            ];
            assert_eq!(kinds.iter().filter(|is| **is).count(), 1, "{server:?}");
        }
    }
}
