//! What the protocol says of single connections, as JSON. Names of members are part of the
//! protocol.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use server::service::{TapEntry, Tapped};
use std::time::SystemTime;

/// Which connections a request is about: those that fit all that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The name of their service.
    pub service: Option<String>,
    /// The id of the only one.
    pub connection: Option<u64>,
    /// The network of their peers, such as `192.0.2.0/24`, or an address.
    pub peer: Option<String>,
}

impl Wanted {
    /// Whether it is about all connections.
    pub fn is_all(&self) -> bool {
        *self == Wanted::default()
    }

    /// In words, for the log.
    pub fn words(&self) -> String {
        let service = self.service.as_ref().map(|it| format!("service {it}"));
        let connection = self.connection.map(|it| format!("connection {it}"));
        let peer = self.peer.as_ref().map(|it| format!("peer {it}"));
        let all: Vec<_> = [service, connection, peer].into_iter().flatten().collect();
        if all.is_empty() {
            return "all connections".to_owned();
        }
        all.join(", ")
    }
}

/// An open connection, or a UDP session. Names of figures end in their unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionStatus {
    /// Its id, unique in this process: that of the log.
    pub id: u64,
    /// Its service.
    pub service: String,
    /// `tcp`, `tls`, `telnet`, `unix`, `udp`, `ws`, `wss` or `stdio`.
    pub transport: String,
    /// The address of the client; over a Unix socket, its user and process.
    pub peer: String,
    /// The URI of its listener.
    pub listener: String,
    /// The generation that serves it.
    pub generation: u64,
    /// How long it has been open.
    pub age_milliseconds: u64,
    /// How long no byte has moved, to a second.
    pub idle_seconds: u64,
    /// Bytes received from the client.
    pub received_bytes: u64,
    /// Bytes sent to the client.
    pub sent_bytes: u64,
    /// Messages passed to its handler; absent for a program, which reads bytes.
    pub messages: Option<u64>,
    /// Bytes that the handler sent and that are not written yet; absent for a program.
    pub unsent_bytes: Option<u64>,
    /// Memory of its instances; absent without an instance of its own.
    pub memory_bytes: Option<u64>,
    /// Time in calls of its handler while it was measured, with waiting for an instance or a turn;
    /// absent if it was not.
    pub call_microseconds: Option<u64>,
}

/// The last line of a list of connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndOfList {
    /// The number of connections in the lines before.
    pub connections: u64,
}

/// Something that a tap has seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapLine {
    /// When, in microseconds since 1970-01-01T00:00:00Z.
    pub at_unix_microseconds: u64,
    /// The id of the connection; 0 for `dropped`.
    pub connection: u64,
    /// What.
    pub what: TapWhat,
}

/// What a tap has seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TapWhat {
    /// It sees the connection from here on.
    Begun {
        /// Its service.
        service: String,
        /// The address of the client.
        peer: String,
        /// The URI of its listener.
        listener: String,
        /// Whether nothing was sent before.
        fresh: bool,
    },
    /// The client has sent these bytes, in base64: one read of a stream, or one message.
    FromClient(#[serde(serialize_with = "encode", deserialize_with = "decode")] Bytes),
    /// The handler has sent these bytes, in base64.
    ToClient(#[serde(serialize_with = "encode", deserialize_with = "decode")] Bytes),
    /// The client sends no more.
    Finished,
    /// The connection has ended.
    Closed,
    /// This many lines are missing, of any connection: the tap is read too slowly.
    Dropped(u64),
}

impl From<TapEntry> for TapLine {
    fn from(entry: TapEntry) -> Self {
        let at = entry.at.duration_since(SystemTime::UNIX_EPOCH);
        TapLine {
            at_unix_microseconds: at.unwrap_or_default().as_micros() as u64,
            connection: entry.connection,
            what: match entry.what {
                Tapped::Begun {
                    service,
                    peer,
                    listener,
                    is_fresh,
                } => TapWhat::Begun {
                    service,
                    peer,
                    listener,
                    fresh: is_fresh,
                },
                Tapped::FromClient(bytes) => TapWhat::FromClient(bytes),
                Tapped::ToClient(bytes) => TapWhat::ToClient(bytes),
                Tapped::Finished => TapWhat::Finished,
                Tapped::Closed => TapWhat::Closed,
                Tapped::Dropped(lines) => TapWhat::Dropped(lines),
            },
        }
    }
}

fn encode<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&BASE64.encode(bytes))
}

fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    let text = String::deserialize(deserializer)?;
    let bytes = BASE64.decode(text).map_err(de::Error::custom)?;
    Ok(bytes.into())
}
