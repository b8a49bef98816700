//! A listener: how clients come in.

use super::ListenerSettings;
use super::error::ConfigError;
use super::values::FileMode;
use connection::address::Endpoint;
use connection::limits::DatagramLimits;
use server::admission::{AccessList, Network};
use server::listener::{SocketOptions, UnixAccess};
use server::tls::{CertificateFiles, TlsConfig};
use std::num::NonZeroUsize;
use std::time::Duration;

/// A listener and what its clients go through: complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerConfig {
    /// Where clients connect to.
    pub uri: Endpoint,
    /// The access list.
    pub access: AccessList,
    /// Networks whose PROXY header is trusted.
    pub proxies: Vec<Network>,
    /// How long a client may take to shake hands.
    pub handshake_timeout: Duration,
    /// How its socket listens.
    pub socket: SocketOptions,
    /// Connections at once; `None` for as many as the service may have.
    pub max_connections: Option<usize>,
    /// Who may connect to a Unix socket.
    pub unix: UnixAccess,
    /// How TLS is taken off, if there is any.
    pub tls: Option<TlsConfig>,
    /// What senders of datagrams may use.
    pub datagrams: DatagramLimits,
}

impl ListenerSettings {
    /// Whether it says anything about TLS.
    pub fn is_about_tls(&self) -> bool {
        self.tls() != TlsConfig::default()
    }

    /// The listener that is meant, which has this address.
    pub(super) fn complete(self, uri: Endpoint) -> Result<ListenerConfig, ConfigError> {
        if self.clone().meant_for(&uri) != self {
            return Err(ConfigError::Misplaced(uri));
        }
        if self.tls_cert.is_some() != self.tls_key.is_some() {
            return Err(ConfigError::HalfACertificate(uri));
        }
        let tls = matches!(uri, Endpoint::Tls(_)).then(|| self.tls());
        if let Some(tls) = &tls {
            tls.check()?;
        }
        Ok(ListenerConfig {
            uri,
            handshake_timeout: self.handshake_timeout().0,
            socket: SocketOptions {
                peer_timeout: self.peer_timeout().0,
                backlog: self.listen_backlog().get(),
                changes_backlog: self.listen_backlog.is_some(),
            },
            datagrams: DatagramLimits {
                idle_timeout: self.udp_idle_timeout().0,
                max_sessions: self.udp_max_sessions().get(),
                amplification: self.udp_amplification().0,
            },
            access: AccessList {
                allow: self.allow.unwrap_or_default(),
                deny: self.deny.unwrap_or_default(),
            },
            proxies: self.proxy_from.unwrap_or_default(),
            max_connections: self.max_connections.map(NonZeroUsize::get),
            unix: UnixAccess {
                mode: self.unix_mode.map(|FileMode(mode)| mode),
                owner: self.unix_owner.unwrap_or_default(),
            },
            tls,
        })
    }

    fn tls(&self) -> TlsConfig {
        let first = self.tls_cert.clone().zip(self.tls_key.clone());
        let first = first.map(|(certificate, key)| CertificateFiles { certificate, key });
        let more = self.tls_more.iter().flatten().cloned();
        TlsConfig {
            certificates: first.into_iter().chain(more).collect(),
            self_signed: self.tls_self_signed(),
            client_ca: self.tls_client_ca.clone(),
            alpn: self.tls_alpn.clone().unwrap_or_default(),
        }
    }
}
