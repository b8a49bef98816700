//! What a listener is told.

use super::values::{FileMode, OptionalNumber, OptionalTime, Time};
use super::written;
use connection::address::Endpoint;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use server::admission::Network;
use server::listener::Owner;
use server::tls::CertificateFiles;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// One door of a service: in the file an address, or a table that says more about it. Options say all but the
/// address, about every door.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
// Derives the form of the table only: the other one is below.
#[serde(remote = "Self", rename_all = "kebab-case", deny_unknown_fields)]
pub struct ListenerSettings {
    /// Where clients connect to, such as tcp://127.0.0.1:8888. Port 0 lets the system choose.
    #[serde(deserialize_with = "written::option")]
    #[cfg_attr(test, schemars(with = "crate::config::schema::Endpoint"))]
    pub uri: Option<Endpoint>,
    /// Networks whose clients alone are served. Default: all.
    #[cfg_attr(test, schemars(with = "Option<Vec<crate::config::schema::Network>>"))]
    #[serde(default, deserialize_with = "written::list")]
    pub allow: Option<Vec<Network>>,
    /// Networks whose clients are not served, even if they are allowed. Default: none.
    #[cfg_attr(test, schemars(with = "Option<Vec<crate::config::schema::Network>>"))]
    #[serde(default, deserialize_with = "written::list")]
    pub deny: Option<Vec<Network>>,
    /// Networks whose connections are a proxy's, and begin with a PROXY header. Default: none.
    #[cfg_attr(test, schemars(with = "Option<Vec<crate::config::schema::Network>>"))]
    #[serde(default, deserialize_with = "written::list")]
    pub proxy_from: Option<Vec<Network>>,
    /// Time a client may take for its PROXY header and its TLS handshake. Default: 10s.
    pub handshake_timeout: Option<Time>,
    /// Closes a TCP connection whose other side has answered nothing for so long, not even the kernel's own
    /// questions; off for never. Default: 5min.
    pub peer_timeout: Option<OptionalTime>,
    /// Connections of the listener at once; further clients wait. Default: as many as the service may have.
    pub max_connections: Option<NonZeroUsize>,
    /// The permissions of a Unix socket, in octal digits. Default: what the umask leaves.
    pub unix_mode: Option<FileMode>,
    /// Whom a Unix socket belongs to, as USER, USER:GROUP or :GROUP. Default: the host's user.
    #[cfg_attr(test, schemars(with = "Option<crate::config::schema::Owner>"))]
    #[serde(default, deserialize_with = "written::option")]
    pub unix_owner: Option<Owner>,
    /// The certificate that clients of tls:// are shown, followed by those that lead to an authority's: a PEM
    /// file. Default: none.
    pub tls_cert: Option<PathBuf>,
    /// Its private key, a PEM file. Default: none.
    pub tls_key: Option<PathBuf>,
    /// More certificates, for clients that ask for one of their names. Default: none.
    #[cfg_attr(
        test,
        schemars(with = "Option<Vec<crate::config::schema::CertificateFiles>>")
    )]
    pub tls_more: Option<Vec<CertificateFiles>>,
    /// Make a certificate that nobody trusts, to try TLS out. Default: false.
    pub tls_self_signed: Option<bool>,
    /// Serve clients only that show a certificate signed by an authority in this PEM file. Default: anybody.
    pub tls_client_ca: Option<PathBuf>,
    /// Application protocols to agree on (ALPN), the preferred one first. Default: none.
    pub tls_alpn: Option<Vec<String>>,
    /// Ends the session of a sender that has sent nothing for so long. Default: 60s.
    pub udp_idle_timeout: Option<Time>,
    /// Senders that have a session at once; datagrams of further ones are dropped. Default: 1000.
    pub udp_max_sessions: Option<NonZeroUsize>,
    /// How many times what it has sent a sender may be sent, counted with headers; off for any number.
    /// Default: 3.
    pub udp_amplification: Option<OptionalNumber>,
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
    /// What is said here, and for the rest what `lower` says.
    pub fn or(self, lower: Self) -> Self {
        ListenerSettings {
            uri: self.uri.or(lower.uri),
            allow: self.allow.or(lower.allow),
            deny: self.deny.or(lower.deny),
            proxy_from: self.proxy_from.or(lower.proxy_from),
            handshake_timeout: self.handshake_timeout.or(lower.handshake_timeout),
            peer_timeout: self.peer_timeout.or(lower.peer_timeout),
            max_connections: self.max_connections.or(lower.max_connections),
            unix_mode: self.unix_mode.or(lower.unix_mode),
            unix_owner: self.unix_owner.or(lower.unix_owner),
            tls_cert: self.tls_cert.or(lower.tls_cert),
            tls_key: self.tls_key.or(lower.tls_key),
            tls_more: self.tls_more.or(lower.tls_more),
            tls_self_signed: self.tls_self_signed.or(lower.tls_self_signed),
            tls_client_ca: self.tls_client_ca.or(lower.tls_client_ca),
            tls_alpn: self.tls_alpn.or(lower.tls_alpn),
            udp_idle_timeout: self.udp_idle_timeout.or(lower.udp_idle_timeout),
            udp_max_sessions: self.udp_max_sessions.or(lower.udp_max_sessions),
            udp_amplification: self.udp_amplification.or(lower.udp_amplification),
        }
    }

    /// What of it means something for such an address. Options are for all doors, and not all are alike.
    pub fn meant_for(self, uri: &Endpoint) -> Self {
        let speaks_tls = matches!(uri, Endpoint::Tls(_));
        let is_file = matches!(uri, Endpoint::Unix(_));
        let is_udp = matches!(uri, Endpoint::Udp(_));
        ListenerSettings {
            unix_mode: self.unix_mode.filter(|_| is_file),
            unix_owner: self.unix_owner.filter(|_| is_file),
            tls_cert: self.tls_cert.filter(|_| speaks_tls),
            tls_key: self.tls_key.filter(|_| speaks_tls),
            tls_more: self.tls_more.filter(|_| speaks_tls),
            tls_self_signed: self.tls_self_signed.filter(|_| speaks_tls),
            tls_client_ca: self.tls_client_ca.filter(|_| speaks_tls),
            tls_alpn: self.tls_alpn.filter(|_| speaks_tls),
            max_connections: self.max_connections.filter(|_| !is_udp),
            udp_idle_timeout: self.udp_idle_timeout.filter(|_| is_udp),
            udp_max_sessions: self.udp_max_sessions.filter(|_| is_udp),
            udp_amplification: self.udp_amplification.filter(|_| is_udp),
            ..self
        }
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

    /// Has its paths begin in `folder`, unless they are absolute.
    pub(super) fn move_to(&mut self, folder: &Path) {
        let more = self.tls_more.iter_mut().flatten();
        let more = more.flat_map(|files| [&mut files.certificate, &mut files.key]);
        let one = self.tls_cert.iter_mut().chain(&mut self.tls_key);
        for path in one.chain(&mut self.tls_client_ca).chain(more) {
            *path = folder.join(&path);
        }
        if let Some(Endpoint::Unix(address)) = &mut self.uri {
            address.move_to(folder);
        }
    }
}

impl<'de> Deserialize<'de> for ListenerSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AddressOrTable)
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
        // The derived one, which takes precedence over the trait's.
        ListenerSettings::deserialize(MapAccessDeserializer::new(table))
    }
}
