//! URIs of Redis databases.

use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisResult};
use std::fmt;
use std::path::PathBuf;

/// `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`, `rediss://` with TLS, or `redis+unix:///PATH`.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUri(String);

impl RedisUri {
    /// `None` if the text is not such a URI. The library's error might show part of a password.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        text.into_connection_info().ok()?;
        Some(RedisUri(text.to_owned()))
    }

    pub(super) fn client(&self) -> RedisResult<Client> {
        Client::open(self.0.as_str())
    }

    /// Whether it uses TLS, with a certificate that the system trusts.
    pub fn is_tls(&self) -> bool {
        self.0.starts_with("rediss:")
    }

    /// Its TCP port, if it uses TCP.
    pub fn port(&self) -> Option<u16> {
        match self.0.as_str().into_connection_info().ok()?.addr() {
            ConnectionAddr::Tcp(_, port) | ConnectionAddr::TcpTls { port, .. } => Some(*port),
            _ => None,
        }
    }

    /// Its Unix socket, if it uses one.
    pub fn socket(&self) -> Option<PathBuf> {
        match self.0.as_str().into_connection_info().ok()?.addr() {
            ConnectionAddr::Unix(path) => Some(path.clone()),
            _ => None,
        }
    }
}

/// Without the password, because it is logged.
impl fmt::Display for RedisUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = self.0.as_str().into_connection_info();
        let address =
            |info: &ConnectionInfo| format!("{}/{}", info.addr(), info.redis_settings().db());
        write!(
            f,
            "redis {}",
            info.as_ref().map(address).unwrap_or_default()
        )
    }
}

impl fmt::Debug for RedisUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
