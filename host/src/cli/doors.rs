//! The options of `serve` about how clients come in.

use super::guest::said;
use super::variables::{Items, commas, parsed};
use clap::Args;
use clap::builder::{BoolishValueParser, StringValueParser};
use daemon::config::{FileMode, ListenerSettings, OptionalTime, Time};
use server::admission::Network;
use server::listener::Owner;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(next_help_heading = "Clients")]
pub struct DoorArgs {
    /// Serve clients from this network only (repeatable; in the variable, separated by commas)
    #[arg(
        long,
        value_name = "NETWORK",
        value_parser = commas(parsed::<Network>()),
        env = "ECHO_HOST_ALLOW"
    )]
    allow: Vec<Items<Network>>,
    /// Serve no clients from this network, even if they are allowed (likewise)
    #[arg(
        long,
        value_name = "NETWORK",
        value_parser = commas(parsed::<Network>()),
        env = "ECHO_HOST_DENY"
    )]
    deny: Vec<Items<Network>>,
    /// Take connections from this network for a proxy's, which begin with a PROXY header, version 1 or 2
    /// (likewise)
    #[arg(
        long,
        value_name = "NETWORK",
        value_parser = commas(parsed::<Network>()),
        env = "ECHO_HOST_PROXY_FROM"
    )]
    proxy_from: Vec<Items<Network>>,
    /// Time a client may take for its PROXY header and its TLS handshake [default: 10s]
    #[arg(long, value_name = "TIME", env = "ECHO_HOST_HANDSHAKE_TIMEOUT")]
    handshake_timeout: Option<Time>,
    /// Close a TCP connection whose other side has answered nothing for so long, not even the kernel's own
    /// questions: it is gone, or will not read; off for never [default: 5min]
    #[arg(long, value_name = "TIME", env = "ECHO_HOST_PEER_TIMEOUT")]
    peer_timeout: Option<OptionalTime>,
    /// The permissions of Unix sockets, in octal digits: to connect is to write [default: what the umask
    /// leaves]
    #[arg(long, value_name = "MODE", env = "ECHO_HOST_UNIX_MODE")]
    unix_mode: Option<FileMode>,
    /// Whom Unix sockets belong to: names or numbers
    #[arg(long, value_name = "USER[:GROUP]", env = "ECHO_HOST_UNIX_OWNER")]
    unix_owner: Option<Owner>,
    /// The certificate of tls:// listeners, followed by those that lead to an authority's: a PEM file, read
    /// again when it changes
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_key",
        env = "ECHO_HOST_TLS_CERT"
    )]
    tls_cert: Option<PathBuf>,
    /// Its private key: a PEM file
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_cert",
        env = "ECHO_HOST_TLS_KEY"
    )]
    tls_key: Option<PathBuf>,
    /// Make a certificate that nobody trusts, to try TLS out
    #[arg(long, value_parser = BoolishValueParser::new(), env = "ECHO_HOST_TLS_SELF_SIGNED")]
    tls_self_signed: bool,
    /// Serve clients only that show a certificate signed by an authority in this PEM file
    #[arg(long, value_name = "FILE", env = "ECHO_HOST_TLS_CLIENT_CA")]
    tls_client_ca: Option<PathBuf>,
    /// An application protocol to agree on (ALPN; repeatable, the preferred one first; in the variable,
    /// separated by commas)
    #[arg(
        long,
        value_name = "PROTOCOL",
        value_parser = commas(StringValueParser::new()),
        env = "ECHO_HOST_TLS_ALPN"
    )]
    tls_alpn: Vec<Items<String>>,
}

impl DoorArgs {
    /// What was said about every listener.
    pub fn settings(&self) -> ListenerSettings {
        ListenerSettings {
            allow: said(&self.allow),
            deny: said(&self.deny),
            proxy_from: said(&self.proxy_from),
            handshake_timeout: self.handshake_timeout,
            peer_timeout: self.peer_timeout,
            unix_mode: self.unix_mode,
            unix_owner: self.unix_owner,
            tls_cert: self.tls_cert.clone(),
            tls_key: self.tls_key.clone(),
            tls_self_signed: self.tls_self_signed.then_some(true),
            tls_client_ca: self.tls_client_ca.clone(),
            tls_alpn: said(&self.tls_alpn),
            ..ListenerSettings::default()
        }
    }
}
