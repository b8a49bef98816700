//! The options of a listener. In the file a listener is an address, or a table with these keys.

use super::about::{Listed, Scope, bound, limit};
use crate::value::{Form, IN_THE_FILE, Number, Text, Value};
use crate::values::{FileMode, OptionalNumber, OptionalTime, Time};
use address::Endpoint;
use choices::choices;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Value as Json, json};
use server::admission::{Network, Origin, Subprotocol};
use server::listener::Owner;
use server::telnet::Interrupt;
use server::tls::CertificateFiles;
use std::ffi::OsStr;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use websocket::MessageType;

options! {
    /// What a listener is told. Options say all but the address, about every listener.
    // Derives the form of the table only: the other one is below.
    #[serde(remote = "Self")]
    Listener ListenerSettings {
        /// Listen here, such as `tcp://127.0.0.1:8888`; port 0 lets the system choose
        uri: Endpoint
            => General {
                is_key_only: true, otherwise: Some("none: required"),
                sample: Some("tcp://0.0.0.0:7000")
            };
        /// Serve only clients in this network
        allow: Vec<Network>
            => Clients { listed: Listed::CommasEverywhere, sample: Some("192.0.2.0/24") };
        /// Refuse clients in this network, even if they are allowed
        deny: Vec<Network>
            => Clients { listed: Listed::CommasEverywhere, sample: Some("192.0.2.7") };
        /// Expect a PROXY header, version 1 or 2, on connections from this network
        proxy_from: Vec<Network>
            => Clients { listed: Listed::CommasEverywhere, sample: Some("10.0.0.0/8") };
        /// Limit the time for PROXY header, TLS handshake and WebSocket request
        handshake_timeout: Time = "10s"
            => Clients {
                reached: limit(
                    "time for PROXY header, TLS, request", "connection closed",
                    "`handshake took longer than …`",
                )
            };
        /// Close a TCP connection after this long without an acknowledgement, or `off`
        peer_timeout: OptionalTime = "5min"
            => Clients {
                reached: limit(
                    "time without an acknowledgement", "connection closed",
                    "`the peer did not respond for too long`",
                )
            };
        /// Limit the open connections of the listener; further clients wait
        max_connections: NonZeroUsize
            => Clients {
                is_key_only: true, scope: Scope::Connections, sample: Some("500"),
                otherwise: Some("as many as the service may have")
            };
        /// Set the listen backlog, in connections
        listen_backlog: NonZeroUsize = "1024"
            => Clients {
                scope: Scope::Sockets, sample: Some("4096"),
                otherwise: Some("or what systemd has set"),
                reached: bound("clients", "connecting takes longer")
            };
        /// Set the permissions of Unix sockets, in octal; connecting needs write permission
        unix_mode: FileMode
            => Clients {
                scope: Scope::Unix, otherwise: Some("what the umask leaves"), sample: Some("660")
            };
        /// Set the owner of Unix sockets, by name or number
        unix_owner: Owner
            => Clients {
                scope: Scope::Unix, otherwise: Some("the host's user"),
                sample: Some("www-data:www-data")
            };
        /// Present the certificate chain in this PEM file, read again when it changes
        tls_cert: PathBuf
            => Clients {
                scope: Scope::Tls, requires: Some("tls-key"), sample: Some("example.org.pem")
            };
        /// Use the private key in this PEM file
        tls_key: PathBuf
            => Clients {
                scope: Scope::Tls, requires: Some("tls-cert"), sample: Some("example.org.key")
            };
        /// Present more certificates, `{ cert = "FILE", key = "FILE" }`, selected by SNI
        tls_more: Vec<CertificateFiles>
            => Clients {
                is_key_only: true, scope: Scope::Tls,
                sample: Some("{ cert = \"example.net.pem\", key = \"example.net.key\" }")
            };
        /// Generate a self-signed certificate, for tests only
        tls_self_signed: bool = "false"
            => Clients { scope: Scope::Tls };
        /// Require a client certificate signed by an authority in this PEM file
        tls_client_ca: PathBuf
            => Clients { scope: Scope::Tls, sample: Some("clients.pem") };
        /// Offer this application protocol (ALPN), preferred first
        tls_alpn: Vec<String>
            => Clients {
                scope: Scope::Tls, value: Some("PROTOCOL"), listed: Listed::CommasEverywhere,
                sample: Some("chat")
            };
        /// Choose what the interrupt of a telnet client does
        telnet_interrupt: Interrupt = "end"
            => Clients { scope: Scope::Telnet };
        /// Let web pages of this origin connect, such as `https://example.org`; `*` for all
        ws_origin: Vec<Origin>
            => WebSocket {
                scope: Scope::WebSocket, listed: Listed::CommasEverywhere,
                otherwise: Some("pages of the host that the request names"),
                sample: Some("https://example.org")
            };
        /// Offer this WebSocket subprotocol, preferred first
        ws_protocol: Vec<Subprotocol>
            => WebSocket {
                scope: Scope::WebSocket, listed: Listed::CommasEverywhere, sample: Some("chat")
            };
        /// Send WebSocket messages of this type
        ws_messages: MessageType = "auto"
            => WebSocket { scope: Scope::WebSocket };
        /// Give browsers a page that talks to the WebSocket
        ws_page: WebSocketPage
            => WebSocket {
                scope: Scope::WebSocket, otherwise: Some("on for loopback addresses"),
                sample: Some("off")
            };
        /// End a UDP session after this long without a datagram from its sender
        udp_idle_timeout: Time = "60s"
            => Udp {
                scope: Scope::Udp,
                reached: bound(
                    "time without a datagram", "nothing: its next datagram starts a new session",
                )
            };
        /// Limit the UDP sessions of a listener; datagrams of further senders are dropped
        udp_max_sessions: NonZeroUsize = "1000"
            => Udp {
                scope: Scope::Udp,
                reached: limit(
                    "sessions of a listener", "datagrams dropped",
                    "warning, *1/s*: `session limit reached`",
                )
            };
        /// Limit the bytes sent per byte received, with headers; `off` for no limit
        udp_amplification: OptionalNumber = "3"
            => Udp {
                scope: Scope::Udp, value: Some("FACTOR"),
                reached: limit(
                    "times the sender's bytes, with headers", "replies dropped",
                    "warning, once a session",
                )
            };
    }
}

choices! {
    /// Whether browsers get a page that talks to the WebSocket.
    pub enum WebSocketPage {
        /// At the path of the WebSocket
        On = "on",
        /// They are told what this is
        Off = "off",
    }
}

impl From<Endpoint> for ListenerSettings {
    fn from(uri: Endpoint) -> Self {
        ListenerSettings {
            uri: Some(uri),
            ..ListenerSettings::default()
        }
    }
}

impl ListenerSettings {
    /// Keeps the options that apply to this kind of endpoint. Options are for all listeners, and
    /// not all are alike.
    pub fn meant_for(mut self, uri: &Endpoint) -> Self {
        self.retain(|option| match option.about.scope {
            Scope::All => true,
            Scope::Connections => !matches!(uri, Endpoint::Udp(_)),
            Scope::Sockets => !matches!(uri, Endpoint::Udp(_) | Endpoint::Stdio),
            Scope::Tls => uri.has_tls() || matches!(uri, Endpoint::Tcp(_) | Endpoint::Unix(_)),
            Scope::Telnet => matches!(uri, Endpoint::Telnet(_)),
            Scope::Udp => matches!(uri, Endpoint::Udp(_)),
            Scope::Unix => matches!(uri, Endpoint::Unix(_)),
            Scope::WebSocket => uri.web().is_some(),
        });
        self
    }

    /// The files that it names about TLS.
    pub fn tls_files(&self) -> impl Iterator<Item = &Path> {
        let more = self.tls_more.iter().flatten();
        let more = more.flat_map(|files| [&files.certificate, &files.key]);
        let one = self.tls_cert.iter().chain(&self.tls_key);
        one.chain(&self.tls_client_ca)
            .chain(more)
            .map(|it| it.as_path())
    }
}

/// In an option a listener is an address.
impl Value for ListenerSettings {
    const FORM: Form = <Endpoint as Text>::FORM;
    const MAY_BE_ALONE: bool = true;

    fn parse(text: &OsStr) -> Result<Self, String> {
        Endpoint::parse(text).map(Into::into)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AddressOrTable)
    }

    fn schema() -> Json {
        json!({ "$ref": "#/definitions/ListenerSettings" })
    }

    fn move_to(&mut self, folder: &Path) {
        ListenerSettings::move_to(self, folder);
    }
}

struct AddressOrTable;

impl<'de> Visitor<'de> for AddressOrTable {
    type Value = ListenerSettings;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address such as \"tcp://127.0.0.1:8888\", or a table with `uri`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ListenerSettings, E> {
        let uri: Endpoint = text.parse().map_err(E::custom)?;
        Ok(uri.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<ListenerSettings, A::Error> {
        let listener = ListenerSettings::deserialize(MapAccessDeserializer::new(table))?;
        if listener.uri.is_none() {
            return Err(A::Error::missing_field("uri"));
        }
        Ok(listener)
    }
}

impl Value for CertificateFiles {
    const FORM: Form = Form {
        number: Number::Tables,
        ..Form::text("", "a table with `cert` and `key`", "")
    };

    fn parse(_: &OsStr) -> Result<Self, String> {
        Err(IN_THE_FILE.to_owned())
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    fn schema() -> Json {
        let path = PathBuf::schema();
        json!({
            "additionalProperties": false,
            "properties": { "cert": path, "key": path },
            "required": ["cert", "key"],
            "type": "object",
        })
    }

    fn move_to(&mut self, folder: &Path) {
        self.certificate.move_to(folder);
        self.key.move_to(folder);
    }
}
