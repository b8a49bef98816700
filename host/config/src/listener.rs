//! A listener: how clients come in.

use super::document::Place;
use super::error::{ConfigError, Finding};
use super::values::FileMode;
use super::{ListenerSettings, WebSocketPage};
use address::{Endpoint, WebAddress};
use connection::limits::DatagramLimits;
use server::admission::{AccessList, Network, WebSocketRules};
use server::listener::{SocketOptions, UnixAccess};
use server::telnet::Interrupt;
use server::tls::{CertificateFiles, TlsConfig, TlsError};
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
    /// How TLS is taken off, if there is any, from the start or when a session wants it.
    pub tls: Option<TlsConfig>,
    /// What an interrupt does, if clients speak telnet.
    pub telnet: Option<Interrupt>,
    /// How WebSocket requests are answered, if it is a WebSocket listener.
    pub websocket: Option<WebSocketRules>,
    /// What senders of datagrams may use.
    pub datagrams: DatagramLimits,
}

impl ListenerSettings {
    /// Whether it says anything about TLS.
    pub fn is_about_tls(&self) -> bool {
        self.tls() != TlsConfig::default()
    }

    /// The listener that is meant, which has this address. What is wrong with it is at this place.
    pub(super) fn complete(
        self,
        uri: Endpoint,
        place: &Place,
    ) -> Result<ListenerConfig, Vec<Finding>> {
        let mut found = self.misplaced(&uri, place);
        if let Some(said) = match (&self.tls_cert, &self.tls_key) {
            (Some(_), None) => Some("tls-cert"),
            (None, Some(_)) => Some("tls-key"),
            _ => None,
        } {
            let error = ConfigError::HalfACertificate(uri.clone());
            found.push(Finding::at(place.clone().key(said), error));
        }
        // In clear at first, sessions may start it.
        let may_start = matches!(uri, Endpoint::Tcp(_) | Endpoint::Unix(_)) && self.is_about_tls();
        let tls = (may_start || uri.has_tls()).then(|| self.tls());
        let websocket = uri.web().map(|web| self.websocket(web));
        if found.is_empty()
            && let Some(Err(error)) = tls.as_ref().map(TlsConfig::check)
        {
            let at = match error.path() {
                Some(_) => place.clone(),
                None => place.clone().key("uri"),
            };
            let certificate = match &error {
                TlsError::Mismatch { certificate, .. } => Some(place.clone().naming(certificate)),
                _ => None,
            };
            found.push(Finding {
                beside: certificate.map(|place| (place, "the certificate")),
                ..Finding::at(at, error)
            });
        }
        if !found.is_empty() {
            return Err(found);
        }
        let is_telnet = matches!(uri, Endpoint::Telnet(_));
        Ok(ListenerConfig {
            uri,
            telnet: is_telnet.then(|| self.telnet_interrupt()),
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
            websocket,
        })
    }

    /// Its keys that are for other kinds of listeners.
    fn misplaced(&self, uri: &Endpoint, place: &Place) -> Vec<Finding> {
        let meant = self.clone().meant_for(uri);
        let misplaced = self.differences(&meant).into_iter().map(|option| {
            let error = ConfigError::Misplaced {
                key: option.key,
                uri: uri.clone(),
                kinds: option.about.scope.kinds(),
            };
            let place = place.clone().key(option.key);
            Finding::at(
                Place {
                    is_key: true,
                    ..place
                },
                error,
            )
        });
        misplaced.collect()
    }

    fn websocket(&self, web: &WebAddress) -> WebSocketRules {
        WebSocketRules {
            path: web.path.as_deref().map(str::to_owned),
            origins: self.ws_origin.clone().unwrap_or_default(),
            protocols: self.ws_protocol.clone().unwrap_or_default(),
            messages: self.ws_messages(),
            has_page: match self.ws_page {
                Some(page) => page == WebSocketPage::On,
                None => web.network.is_loopback(),
            },
        }
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
