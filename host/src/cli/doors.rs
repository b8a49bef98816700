//! The options of `serve` about how clients come in.

use super::values::{mode, time};
use clap::Args;
use clap::builder::FalseyValueParser;
use echo_host::admission::{AccessList, Network};
use echo_host::config::DoorConfig;
use echo_host::listener::{Owner, UnixAccess};
use echo_host::tls::{CertificateFiles, TlsConfig};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
#[command(next_help_heading = "Clients")]
pub struct DoorArgs {
    /// Serve clients from this network only (repeatable; in the variable, separated by commas)
    #[arg(
        long,
        value_name = "NETWORK",
        value_delimiter = ',',
        env = "ECHO_HOST_ALLOW"
    )]
    allow: Vec<Network>,
    /// Serve no clients from this network, even if they are allowed (likewise)
    #[arg(
        long,
        value_name = "NETWORK",
        value_delimiter = ',',
        env = "ECHO_HOST_DENY"
    )]
    deny: Vec<Network>,
    /// Take connections from this network for a proxy's, which begin with a PROXY header, version 1 or 2
    /// (likewise)
    #[arg(
        long,
        value_name = "NETWORK",
        value_delimiter = ',',
        env = "ECHO_HOST_PROXY_FROM"
    )]
    proxy_from: Vec<Network>,
    /// Time a client may take for its PROXY header and its TLS handshake
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "10s", env = "ECHO_HOST_HANDSHAKE_TIMEOUT")]
    handshake_timeout: Duration,
    /// The permissions of Unix sockets, in octal digits: to connect is to write [default: what the umask
    /// leaves]
    #[arg(long, value_name = "MODE", value_parser = mode, env = "ECHO_HOST_UNIX_MODE")]
    unix_mode: Option<u32>,
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
    #[arg(long, value_parser = FalseyValueParser::new(), env = "ECHO_HOST_TLS_SELF_SIGNED")]
    tls_self_signed: bool,
    /// Serve clients only that show a certificate signed by an authority in this PEM file
    #[arg(long, value_name = "FILE", env = "ECHO_HOST_TLS_CLIENT_CA")]
    tls_client_ca: Option<PathBuf>,
    /// An application protocol to agree on (ALPN; repeatable, the preferred one first; in the variable,
    /// separated by commas)
    #[arg(
        long,
        value_name = "PROTOCOL",
        value_delimiter = ',',
        env = "ECHO_HOST_TLS_ALPN"
    )]
    tls_alpn: Vec<String>,
}

impl DoorArgs {
    /// As the host wants it.
    pub fn config(&self) -> DoorConfig {
        let owner = self.unix_owner.unwrap_or_default();
        let files = self.tls_cert.clone().zip(self.tls_key.clone());
        DoorConfig {
            access: AccessList {
                allow: self.allow.clone(),
                deny: self.deny.clone(),
            },
            proxies: self.proxy_from.clone(),
            handshake_timeout: self.handshake_timeout,
            unix: UnixAccess {
                mode: self.unix_mode,
                owner,
            },
            tls: TlsConfig {
                certificates: files
                    .map(|(certificate, key)| CertificateFiles { certificate, key })
                    .into_iter()
                    .collect(),
                self_signed: self.tls_self_signed,
                client_ca: self.tls_client_ca.clone(),
                alpn: self.tls_alpn.clone(),
            },
        }
    }
}
