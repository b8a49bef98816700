//! How each server is started.

use super::{Demand, Server};
use crate::place::Place;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

/// More connections than are asked for: the generator tries the server with one more, and a connection may be
/// closing while the next is open.
const SPARE_CONNECTIONS: u32 = 100;

/// The files without which a server cannot be started.
pub fn needs(server: Server, place: &Place) -> Vec<PathBuf> {
    let program = |name: &str| place.program(name);
    match server {
        Server::NativePlain | Server::NativePerCore => vec![place.built(server.name())],
        Server::Asyncio => vec![program("python3")],
        Server::Uvloop => vec![place.uvloop_python(), place.uvloop_package()],
        Server::HaproxyLua => vec![program("haproxy")],
        Server::NginxNjs => vec![
            program("nginx"),
            PathBuf::from("/usr/lib/nginx/modules/ngx_stream_module.so"),
            PathBuf::from("/usr/lib/nginx/modules/ngx_stream_js_module.so"),
        ],
        Server::Socat => vec![program("socat"), program("cat")],
        Server::Ncat => vec![program("ncat"), program("cat")],
        _ => [Some(place.built("echo-host")), handler(server, place)]
            .into_iter()
            .flatten()
            .collect(),
    }
}

/// What the host serves; `None` for its built-in echo.
fn handler(server: Server, place: &Place) -> Option<PathBuf> {
    match server {
        Server::HostRust | Server::HostRustShared | Server::HostRustMessage => {
            Some(place.guest("echo"))
        }
        Server::HostConversation => Some(place.guest("echo-conversation")),
        Server::HostJavaScript => Some(place.javascript_echo()),
        _ => None,
    }
}

/// The command of a server that listens on a port the system chooses and prints which.
pub fn that_tells_its_port(server: Server, demand: &Demand, place: &Place) -> Option<Command> {
    match server {
        Server::NativePlain | Server::NativePerCore => {
            Some(Command::new(place.built(server.name())))
        }
        Server::Asyncio | Server::Uvloop => {
            let python = match server {
                Server::Asyncio => place.program("python3"),
                _ => place.uvloop_python(),
            };
            let mut command = Command::new(python);
            command.arg(place.peer("echo.py")).arg(server.name());
            Some(command)
        }
        peer if peer.is_peer() => None,
        host => Some(serve(host, demand, place)),
    }
}

/// `echo-host serve`, all else being as by default.
fn serve(server: Server, demand: &Demand, place: &Place) -> Command {
    let mut command = host(place, demand.connections, demand.cache);
    command.arg("--no-control").args(handler(server, place));
    command.args(match server {
        Server::HostRustShared => ["--isolation", "shared"],
        Server::HostRustMessage => ["--isolation", "message"],
        _ => ["--isolation", "connection"],
    });
    command
}

/// The host with any handler.
pub fn host(place: &Place, connections: u32, cache: bool) -> Command {
    let mut command = Command::new(place.built("echo-host"));
    command.args(["serve", "--listen", "tcp://127.0.0.1:0"]);
    // The others write no log either.
    command.args(["--log-level", "warn"]);
    let connections = connections.max(1000) + SPARE_CONNECTIONS;
    command.args(["--max-connections", &connections.to_string()]);
    command.args(["--max-connections-per-ip", "off", "--cache"]);
    match cache {
        true => command.arg(place.cache()),
        false => command.arg("off"),
    };
    command
}

/// The command of a server that has to be told its port.
pub fn on_port(server: Server, port: u16, demand: &Demand, place: &Place) -> Result<Command> {
    let threads = thread::available_parallelism()?.to_string();
    let mut command = Command::new(place.program(match server {
        Server::HaproxyLua => "haproxy",
        Server::NginxNjs => "nginx",
        Server::Socat => "socat",
        _ => "ncat",
    }));
    match server {
        Server::HaproxyLua => {
            command.arg("-db").arg("-f").arg(place.peer("haproxy.cfg"));
            command.env("ECHO_PORT", port.to_string());
            command.env("ECHO_THREADS", threads);
            command.env("ECHO_BYTES", demand.message_bytes.to_string());
            command.env("ECHO_LUA", place.peer("echo.lua"));
        }
        Server::NginxNjs => {
            let folder = place.work().join("nginx");
            let file = nginx_configuration(&folder, port, &threads, place)?;
            command.arg("-p").arg(folder).arg("-c").arg(file);
        }
        Server::Socat => {
            let listen =
                format!("TCP-LISTEN:{port},bind=127.0.0.1,backlog=1024,reuseaddr,fork,nodelay");
            command.args([&listen, "EXEC:cat"]);
        }
        _ => {
            let most = (demand.connections + SPARE_CONNECTIONS).to_string();
            command.args(["--listen", "--keep-open", "--max-conns", &most]);
            command.arg("--exec").arg(place.program("cat"));
            command.args(["127.0.0.1", &port.to_string()]);
        }
    }
    Ok(command)
}

/// nginx knows no variables where it needs them here, so its configuration is filled in.
fn nginx_configuration(folder: &Path, port: u16, threads: &str, place: &Place) -> Result<PathBuf> {
    let template = place.peer("nginx.conf");
    let template = fs::read_to_string(&template)
        .with_context(|| format!("cannot read {}", template.display()))?;
    let text = template
        .replace("@PORT@", &port.to_string())
        .replace("@THREADS@", threads)
        .replace("@FOLDER@", &folder.display().to_string())
        .replace("@NJS@", &place.peer("echo.js").display().to_string());
    let file = folder.join("nginx.conf");
    // The one before was killed and could not tidy up.
    let _ = fs::remove_file(folder.join("silent"));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&file, text))
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}
