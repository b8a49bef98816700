//! Values that outlive the instances that keep them, by their keys: in memory, or in Redis, where several hosts share
//! them.
//!
//! A key is the name of a bucket, a colon, and the key in it, so that a bucket's keys have a beginning in common. In
//! Redis they look just so.

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

/// Where values are kept, and how much of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreConfig {
    /// Where.
    pub uri: StoreUri,
    /// What a store in memory may hold, in bytes.
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

/// A store, for whoever has a clone of it.
#[derive(Clone)]
pub struct Store(Arc<Kind>);

enum Kind {
    Memory(Memory),
    Redis(Redis),
}

/// What a value was when it was looked at, as far as it takes to tell whether it still is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark(Vec<u8>);

/// Some of the keys that begin alike.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Without their common beginning, in no particular order.
    pub keys: Vec<String>,
    /// Where the next page begins, if there is one.
    pub cursor: Option<String>,
}

/// Why a store did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(
        "a key has at most {MAX_KEY_BYTES} bytes with the name of its bucket, this one has {0}"
    )]
    LongKey(usize),
    #[error("a value has at most {MAX_VALUE_BYTES} bytes, this one has {0}")]
    LongValue(usize),
    #[error("at most {MAX_BATCH_KEYS} keys at once, not {0}")]
    ManyKeys(usize),
    #[error("these values have {0} bytes, at once it may be {MAX_BATCH_VALUE_BYTES}")]
    LongBatch(usize),
    #[error("the store is full: it may hold {0} bytes (--max-keyvalue)")]
    Full(usize),
    #[error("the value is no whole number from -2^63 to 2^63-1, or would be none")]
    NoNumber,
    #[error("no such cursor")]
    NoCursor,
    #[error("the store does not answer: {0}")]
    Unreachable(String),
    #[error("the store refuses: {0}")]
    Refused(String),
}

impl StoreError {
    /// Whether it is not the guest that could have done otherwise.
    pub fn concerns_the_operator(&self) -> bool {
        use StoreError::{Full, Refused, Unreachable};
        matches!(self, Full(_) | Refused(_) | Unreachable(_))
    }
}

impl Store {
    /// A store as it is configured. Redis is connected to when somebody needs it.
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

    /// A store for a rehearsal, which must not change what is really kept.
    pub fn scratch() -> Self {
        Self::new(&StoreConfig::default())
    }

    /// The values of some keys, in their order.
    pub async fn get(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        check_keys(keys)?;
        match &*self.0 {
            Kind::Memory(memory) => memory.get(keys),
            Kind::Redis(redis) => redis.get(keys).await,
        }
    }

    /// Gives some keys values: all of them, or on an error none.
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

    /// Forgets some keys, whether they are there or not.
    pub async fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        check_keys(keys)?;
        match &*self.0 {
            Kind::Memory(memory) => memory.delete(keys),
            Kind::Redis(redis) => redis.delete(keys).await?,
        }
        Ok(())
    }

    /// Whether a key has a value.
    pub async fn has(&self, key: &str) -> Result<bool, StoreError> {
        check_key(key)?;
        match &*self.0 {
            Kind::Memory(memory) => Ok(memory.has(key)),
            Kind::Redis(redis) => redis.has(key).await,
        }
    }

    /// A page of the keys that begin with `prefix`: the first, or the one that a `cursor` stands for.
    pub async fn list(&self, prefix: &str, cursor: Option<String>) -> Result<Page, StoreError> {
        match &*self.0 {
            Kind::Memory(memory) => Ok(memory.list(prefix, cursor)),
            Kind::Redis(redis) => redis.list(prefix, cursor).await,
        }
    }

    /// Adds to the number that a value is, in decimal digits, and returns the sum. What is not there is 0.
    pub async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        check_key(key)?;
        match &*self.0 {
            Kind::Memory(memory) => memory.increment(key, delta),
            Kind::Redis(redis) => redis.increment(key, delta).await,
        }
    }

    /// The value of a key, and what it can be recognized by.
    pub async fn look(&self, key: &str) -> Result<(Option<Vec<u8>>, Mark), StoreError> {
        check_key(key)?;
        match &*self.0 {
            Kind::Memory(memory) => Ok(memory.look(key)),
            Kind::Redis(redis) => redis.look(key).await,
        }
    }

    /// Gives a key a value if it still has the one that was looked at, and says whether it had.
    pub async fn swap(&self, key: &str, mark: &Mark, value: Vec<u8>) -> Result<bool, StoreError> {
        check_key(key)?;
        check_value(&value)?;
        match &*self.0 {
            Kind::Memory(memory) => memory.swap(key, mark, value),
            Kind::Redis(redis) => redis.swap(key, mark, &value).await,
        }
    }
}

/// Whether a guest may name so many keys at once.
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

/// Whether a key is short enough.
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

/// What is asked for at once is in memory at once, and a key may be named again and again.
pub fn check_sum(bytes: usize) -> Result<(), StoreError> {
    match bytes {
        ..=MAX_BATCH_VALUE_BYTES => Ok(()),
        more => Err(StoreError::LongBatch(more)),
    }
}
