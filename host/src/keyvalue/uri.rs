//! URIs of key-value stores.

use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisResult};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// `memory`, or a URL of Redis.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StoreUri {
    /// In the memory of the host.
    #[default]
    Memory,
    /// In a Redis database.
    Redis(RedisUri),
}

/// `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`, `rediss://` with TLS, or `redis+unix:///PATH`.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUri(String);

/// The text is not the URI of a store.
#[derive(Debug, thiserror::Error)]
#[error(
    "expected memory, redis://HOST:PORT, rediss://HOST:PORT or redis+unix:///PATH; in a user name \
     or password, escape special characters as in URLs, such as %40 for @"
)]
pub struct InvalidStoreUri;

impl FromStr for StoreUri {
    type Err = InvalidStoreUri;

    fn from_str(text: &str) -> Result<Self, InvalidStoreUri> {
        if text == "memory" {
            return Ok(StoreUri::Memory);
        }
        // The library accepts more spellings.
        let schemes = ["redis://", "rediss://", "redis+unix:"];
        if !schemes.iter().any(|scheme| text.starts_with(scheme)) {
            return Err(InvalidStoreUri);
        }
        match text.into_connection_info() {
            Ok(_) => Ok(StoreUri::Redis(RedisUri(text.to_owned()))),
            // The library's error might show part of a password.
            Err(_) => Err(InvalidStoreUri),
        }
    }
}

impl RedisUri {
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
        let place =
            |info: &ConnectionInfo| format!("{}/{}", info.addr(), info.redis_settings().db());
        write!(f, "redis {}", info.as_ref().map(place).unwrap_or_default())
    }
}

impl fmt::Debug for RedisUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_in_memory_or_in_redis() {
        assert_eq!("memory".parse::<StoreUri>().unwrap(), StoreUri::Memory);
        for (text, port) in [
            ("redis://127.0.0.1:7000/3", Some(7000)),
            ("redis://cache.internal", Some(6379)),
            ("rediss://user:secret@cache.internal:6380", Some(6380)),
            ("redis+unix:///run/redis.sock", None),
        ] {
            let StoreUri::Redis(uri) = text.parse().unwrap() else {
                panic!("{text}");
            };
            assert_eq!(uri.port(), port, "{text}");
        }
        for bad in [
            "",
            "Memory",
            "redis",
            "redis://",
            "redis:///",
            "valkey://a",
            "http://a",
            "redis://a/b",
        ] {
            assert!(bad.parse::<StoreUri>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let uri: StoreUri = "redis://user:secret@127.0.0.1:7000/3".parse().unwrap();
        assert_eq!(format!("{uri:?}"), "Redis(redis 127.0.0.1:7000/3)");
    }
}
