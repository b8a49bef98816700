//! What is compared: the host as it can be run, native servers, and others that echo.

mod command;
mod process;

pub use command::host;
pub use process::{Process, end_all};

use crate::place::Place;
use anyhow::{Context, Result, bail};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// How long a server may take until it can be connected to. Without a cache the host compiles first.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A server that echoes.
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

use Server::*;

impl Server {
    pub const ALL: [Server; 14] = [
        NativePlain,
        NativePerCore,
        HostBuiltIn,
        HostRust,
        HostRustShared,
        HostRustMessage,
        HostConversation,
        HostJavaScript,
        Asyncio,
        Uvloop,
        HaproxyLua,
        NginxNjs,
        Socat,
        Ncat,
    ];

    /// How it is called in tables, results and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            NativePlain => "native-plain",
            NativePerCore => "native-per-core",
            HostBuiltIn => "host-built-in",
            HostRust => "host-rust",
            HostRustShared => "host-rust-shared",
            HostRustMessage => "host-rust-message",
            HostConversation => "host-conversation",
            HostJavaScript => "host-javascript",
            Asyncio => "asyncio",
            Uvloop => "uvloop",
            HaproxyLua => "haproxy-lua",
            NginxNjs => "nginx-njs",
            Socat => "socat",
            Ncat => "ncat",
        }
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

    /// Why it cannot be started here, if so.
    pub fn missing(self, place: &Place) -> Option<String> {
        let needed = command::needs(self, place);
        let missing = needed.into_iter().find(|file| !file.is_file())?;
        Some(format!("{} is missing", missing.display()))
    }
}

/// What a server has to be ready for.
#[derive(Clone, Copy, Debug)]
pub struct Demand {
    /// Connections that it will be asked to serve at once.
    pub connections: u32,
    /// The length of a message.
    pub message_bytes: usize,
    /// Whether the host may use compiled code that it kept.
    pub cache: bool,
}

impl Default for Demand {
    fn default() -> Self {
        Demand {
            connections: 1000,
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
    pub fn start(server: Server, demand: &Demand, place: &Place) -> Result<Self> {
        let context = || format!("cannot start {}", server.name());
        let log = place.log(server.name());
        if let Some(command) = command::that_tells_its_port(server, demand, place) {
            let mut process = Process::start(command, &log).with_context(context)?;
            let address = process.address(START_LIMIT).with_context(context)?;
            return Ok(Running { process, address });
        }
        let address = free_address()?;
        let command = command::on_port(server, address.port(), demand, place)?;
        let mut process = Process::start(command, &log).with_context(context)?;
        wait_for(address, &mut process).with_context(context)?;
        Ok(Running { process, address })
    }

    pub fn uri(&self) -> String {
        format!("tcp://{}", self.address)
    }
}

/// Nobody else is likely to take the port before its server does: the system hands them out in turn.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
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
        for (index, server) in Server::ALL.into_iter().enumerate() {
            assert_eq!(server as usize, index);
            let same = Server::ALL.iter().filter(|it| it.name() == server.name());
            assert_eq!(same.count(), 1);
            let host = server.name().starts_with("host-");
            let kinds = [server.is_native(), host, server.is_peer()];
            assert_eq!(kinds.iter().filter(|is| **is).count(), 1, "{server:?}");
        }
    }
}
