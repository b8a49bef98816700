//! The addresses of the host and of its clients.

use crate::door::{self, Door};
use crate::files::Files;
use crate::host::Host;
use crate::log::Log;
use anyhow::{Context, Result};
use fastrand::Rng;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use tokio_rustls::TlsConnector;

/// A host's directory, its process, and its listeners.
pub struct Site {
    pub files: Files,
    /// The host's process.
    pub pid: u32,
    pub log: Log,
    doors: BTreeMap<String, Vec<Door>>,
    datagrams: BTreeMap<String, SocketAddr>,
    websocket: Option<SocketAddr>,
}

impl Site {
    /// With the listeners from the host's status.
    pub fn new(files: Files, host: &Host, status: &Value) -> Result<Self> {
        let connector = door::connector(files.certificate())?;
        let mut site = Site {
            files,
            pid: host.pid(),
            log: host.log.clone(),
            doors: BTreeMap::new(),
            datagrams: BTreeMap::new(),
            websocket: None,
        };
        for listener in status["listeners"].as_array().into_iter().flatten() {
            let (uri, service) = (text(&listener["uri"])?, text(&listener["service"])?);
            site.add(uri, service, &connector)?;
        }
        Ok(site)
    }

    fn add(&mut self, uri: &str, service: &str, connector: &TlsConnector) -> Result<()> {
        let (scheme, rest) = uri.split_once(':').context("a URI has a colon")?;
        let address = || rest.trim_start_matches('/').parse();
        let door = match scheme {
            "tcp" => Door::Tcp(address()?),
            "tls" => Door::Tls(address()?, connector.clone()),
            "ws" => {
                let (address, _) = rest
                    .trim_start_matches('/')
                    .split_once('/')
                    .context("a path")?;
                self.websocket = Some(address.parse()?);
                return Ok(());
            }
            "unix" => Door::Unix(self.files.path(rest)),
            _ => {
                self.datagrams.insert(service.to_owned(), address()?);
                return Ok(());
            }
        };
        self.doors.entry(service.to_owned()).or_default().push(door);
        Ok(())
    }

    /// One of a service's stream listeners.
    pub fn door(&self, service: &str, rng: &mut Rng) -> &Door {
        let doors = &self.doors[service];
        &doors[rng.usize(..doors.len())]
    }

    /// The address of a service's first listener, which is TCP.
    pub fn tcp(&self, service: &str) -> SocketAddr {
        let address = self.doors[service].iter().find_map(Door::address);
        address.expect("each service listens on TCP")
    }

    /// The address of a service's TLS listener.
    pub fn tls(&self, service: &str) -> SocketAddr {
        let doors = self.doors[service].iter();
        let mut with_tls = doors.filter(|door| matches!(door, Door::Tls(..)));
        let address = with_tls.next().and_then(Door::address);
        address.expect("this service listens with TLS")
    }

    /// The address of a service's UDP listener.
    pub fn udp(&self, service: &str) -> SocketAddr {
        self.datagrams[service]
    }

    /// The address of the only WebSocket listener.
    pub fn websocket(&self) -> SocketAddr {
        self.websocket
            .expect("one service has a WebSocket listener")
    }

    /// Any service's name.
    pub fn any_service(&self, rng: &mut Rng) -> &str {
        let names: Vec<_> = self.doors.keys().collect();
        names[rng.usize(..names.len())]
    }

    pub fn control(&self) -> PathBuf {
        self.files.path("host.sock")
    }

    pub fn metrics(&self) -> PathBuf {
        self.files.path("metrics.sock")
    }
}

/// An address of well-behaved clients. The host limits connections per address, so other clients do
/// not take these away.
pub fn regular(rng: &mut Rng) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1, rng.u8(1..=8))
}

/// An address of villains: few, so that together they cannot take all slots.
pub fn villain(rng: &mut Rng) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 2, rng.u8(1..=3))
}

/// One of many addresses, from which all slots can be taken for a moment.
pub fn crowd(number: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 3, 1 + (number % 250) as u8)
}

/// One of many addresses, as the forged source of datagrams.
pub fn forged(number: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 4, 1 + (number % 250) as u8)
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().context("the status lacks a text")
}
