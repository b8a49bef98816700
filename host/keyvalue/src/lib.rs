//! Key-value stores for guests: in memory, or in Redis, which several hosts can share. Must not
//! know Wasm.
//!
//! A key is the name of a bucket, a colon, and the key in the bucket, so that a bucket's keys share
//! a prefix. Redis has the same keys.

#![forbid(unsafe_code)]

mod memory;
#[cfg_attr(not(feature = "redis"), path = "redis_absent.rs")]
mod redis;
mod uri;

pub use self::redis::RedisUri;
pub use uri::{InvalidStoreUri, StoreUri};

use self::redis::Redis;
use connection::limits::{
    MAX_BATCH_KEYS, MAX_BATCH_VALUE_BYTES, MAX_KEY_BYTES, MAX_SCRATCH_BYTES, MAX_VALUE_BYTES,
};
use memory::Memory;
use std::sync::Arc;

/// Where key-value data is stored, and its size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreConfig {
    /// The store.
    pub uri: StoreUri,
    /// The limit of a store in memory, in bytes.
    pub max_bytes: usize,
}

/// The store of a rehearsal.
impl Default for StoreConfig {
    fn default() -> Self {
        StoreConfig {
            uri: StoreUri::default(),
            max_bytes: MAX_SCRATCH_BYTES,
        }
    }
}

/// A store. Clones share it.
#[derive(Clone)]
pub struct Store(Arc<Kind>);

enum Kind {
    Memory(Memory),
    Redis(Redis),
}

/// Identifies a value for compare-and-swap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark(Vec<u8>);

/// A page of keys with a prefix.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Without the prefix, unordered.
    pub keys: Vec<String>,
    /// The cursor of the next page, if there is one.
    pub cursor: Option<String>,
}

/// Why a store operation failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("a key of {0} bytes, with the name of its bucket, is longer than {MAX_KEY_BYTES}")]
    LongKey(usize),
    #[error("a value of {0} bytes is longer than {MAX_VALUE_BYTES}")]
    LongValue(usize),
    #[error("{0} keys in one call are more than {MAX_BATCH_KEYS}")]
    ManyKeys(usize),
    #[error("values of {0} bytes in one call are more than {MAX_BATCH_VALUE_BYTES}")]
    LongBatch(usize),
    #[error("the store is full: it holds at most {0} bytes (--max-keyvalue)")]
    Full(usize),
    #[error("the value, or the result, is not a whole number from -2^63 to 2^63-1")]
    NoNumber,
    #[error("no such cursor")]
    NoCursor,
    #[error("the store does not respond: {0}")]
    Unreachable(String),
    #[error("the store refused: {0}")]
    Refused(String),
}

impl StoreError {
    /// Whether the operator, not the guest, can fix it.
    pub fn concerns_the_operator(&self) -> bool {
        use StoreError::{Full, Refused, Unreachable};
        matches!(self, Full(_) | Refused(_) | Unreachable(_))
    }
}

impl Store {
    /// Creates the configured store. Connects to Redis on first use.
    #[cfg_attr(
        not(feature = "redis"),
        expect(unreachable_code, reason = "there is no URI of Redis")
    )]
    pub fn new(config: &StoreConfig) -> Self {
        Store(Arc::new(match &config.uri {
            StoreUri::Memory => Kind::Memory(Memory::new(config.max_bytes)),
            StoreUri::Redis(uri) => Kind::Redis(Redis::new(uri.clone())),
        }))
    }

    /// A store for probes and tests, which must not change real data.
    pub fn scratch() -> Self {
        Self::new(&StoreConfig::default())
    }

    /// The values of keys, in order.
    pub async fn get(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        check_keys(keys)?;
        match &*self.0 {
            Kind::Memory(memory) => memory.get(keys),
            Kind::Redis(redis) => redis.get(keys).await,
        }
    }

    /// Sets several keys: all, or on an error none.
    pub async fn set(&self, entries: Vec<(String, Vec<u8>)>) -> Result<(), StoreError> {
        check_number(entries.len())?;
        for (key, value) in &entries {
            check_key(key)?;
            check_value(value)?;
        }
        match &*self.0 {
            Kind::Memory(memory) => memory.set(entries),
            Kind::Redis(redis) => redis.set(&entries).await,
        }
    }

    /// Deletes keys, whether or not they exist.
    pub async fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        check_keys(keys)?;
        match &*self.0 {
            Kind::Memory(memory) => memory.delete(keys),
            Kind::Redis(redis) => redis.delete(keys).await?,
        }
        Ok(())
    }

    /// Whether a key exists.
    pub async fn has(&self, key: &str) -> Result<bool, StoreError> {
        check_key(key)?;
        match &*self.0 {
            Kind::Memory(memory) => Ok(memory.has(key)),
            Kind::Redis(redis) => redis.has(key).await,
        }
    }

    /// A page of the keys with `prefix`: the first, or the one of `cursor`.
    pub async fn list(&self, prefix: &str, cursor: Option<String>) -> Result<Page, StoreError> {
        match &*self.0 {
            Kind::Memory(memory) => Ok(memory.list(prefix, cursor)),
            Kind::Redis(redis) => redis.list(prefix, cursor).await,
        }
    }

    /// Adds to a decimal number and returns the sum. A missing value is 0.
    pub async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        check_key(key)?;
        match &*self.0 {
            Kind::Memory(memory) => memory.increment(key, delta),
            Kind::Redis(redis) => redis.increment(key, delta).await,
        }
    }

    /// The value of a key, and its mark for compare-and-swap.
    pub async fn look(&self, key: &str) -> Result<(Option<Vec<u8>>, Mark), StoreError> {
        check_key(key)?;
        match &*self.0 {
            Kind::Memory(memory) => Ok(memory.look(key)),
            Kind::Redis(redis) => redis.look(key).await,
        }
    }

    /// Sets a key if its value is still the marked one, and returns whether it was.
    pub async fn swap(&self, key: &str, mark: &Mark, value: Vec<u8>) -> Result<bool, StoreError> {
        check_key(key)?;
        check_value(&value)?;
        match &*self.0 {
            Kind::Memory(memory) => memory.swap(key, mark, value),
            Kind::Redis(redis) => redis.swap(key, mark, &value).await,
        }
    }
}

/// Checks the number of keys in a call.
pub fn check_number(keys: usize) -> Result<(), StoreError> {
    match keys {
        ..=MAX_BATCH_KEYS => Ok(()),
        more => Err(StoreError::ManyKeys(more)),
    }
}

fn check_keys(keys: &[String]) -> Result<(), StoreError> {
    check_number(keys.len())?;
    keys.iter().try_for_each(|key| check_key(key))
}

/// Checks the length of a key.
pub fn check_key(key: &str) -> Result<(), StoreError> {
    match key.len() {
        ..=MAX_KEY_BYTES => Ok(()),
        more => Err(StoreError::LongKey(more)),
    }
}

fn check_value(value: &[u8]) -> Result<(), StoreError> {
    match value.len() {
        ..=MAX_VALUE_BYTES => Ok(()),
        more => Err(StoreError::LongValue(more)),
    }
}

/// Checks the total length of values: all are in memory at once, and a key may be repeated.
pub fn check_sum(bytes: usize) -> Result<(), StoreError> {
    match bytes {
        ..=MAX_BATCH_VALUE_BYTES => Ok(()),
        more => Err(StoreError::LongBatch(more)),
    }
}
