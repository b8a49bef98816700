//! Where a store is.

use crate::redis::RedisUri;
use std::str::FromStr;

/// `memory`, or a URL of Redis.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StoreUri {
    /// In the host's own memory.
    #[default]
    Memory,
    /// In a database of Redis.
    Redis(RedisUri),
}

/// The text names no store.
#[derive(Debug, thiserror::Error)]
pub enum InvalidStoreUri {
    #[error(
        "expected memory, redis://HOST:PORT, rediss://HOST:PORT or redis+unix:///PATH; special characters of a user \
         and a password are written as in URLs, such as %40 for @"
    )]
    Malformed,
    #[error("this echo-host was built without Redis (feature `redis`): only memory is available")]
    WithoutRedis,
}

impl FromStr for StoreUri {
    type Err = InvalidStoreUri;

    fn from_str(text: &str) -> Result<Self, InvalidStoreUri> {
        if text == "memory" {
            return Ok(StoreUri::Memory);
        }
        // The library knows more spellings of the same.
        let schemes = ["redis://", "rediss://", "redis+unix:"];
        if !schemes.iter().any(|scheme| text.starts_with(scheme)) {
            return Err(InvalidStoreUri::Malformed);
        }
        if !cfg!(feature = "redis") {
            return Err(InvalidStoreUri::WithoutRedis);
        }
        let uri = RedisUri::parse(text).ok_or(InvalidStoreUri::Malformed)?;
        Ok(StoreUri::Redis(uri))
    }
}

#[cfg(all(test, feature = "redis"))]
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
