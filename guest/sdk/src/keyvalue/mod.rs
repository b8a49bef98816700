//! Values that outlive an instance (`wasi:keyvalue`): other instances and versions of the handler
//! find them, in the host's memory or in Redis. Needs the feature `keyvalue`.
//!
//! ```
//! use echo_host_guest::keyvalue;
//!
//! fn visit(name: &str) -> keyvalue::Result<String> {
//!     let visits = keyvalue::open("visits")?.increment(name, 1)?;
//!     Ok(format!("{name} is here for the {visits}. time"))
//! }
//! # assert_eq!(visit("ada").unwrap(), "ada is here for the 1. time");
//! ```
//!
//! Operations take effect at once, also in a callback that fails afterwards. In a session, `?`
//! turns an [`Error`] into an [`internal`](crate::Failure::internal) failure.
//!
//! In a unit test the values are in the memory of the test's thread; see
//! [`testing::keyvalue`](crate::testing::keyvalue).

#[cfg(target_family = "wasm")]
mod host;

#[cfg(not(target_family = "wasm"))]
use crate::testing::keyvalue as host;

use crate::Failure;
use std::fmt;

/// The result of operations on a store.
pub type Result<T = ()> = std::result::Result<T, Error>;

/// Why an operation failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// There is no bucket with this name.
    NoSuchStore,
    /// The handler has no access to it.
    AccessDenied,
    /// Any other reason, as text.
    Other(String),
}

/// A set of keys with their values.
#[derive(Debug)]
pub struct Bucket(host::Bucket);

/// Opens a bucket. The host has one for each name of up to 64 letters, digits, `-`, `_` and `.`.
pub fn open(name: &str) -> Result<Bucket> {
    host::open(name).map(Bucket)
}

impl Bucket {
    /// The value of a key, if it has one.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.0.get(key)
    }

    /// The value of a key as text, if it has one. A value that is not UTF-8 is an error.
    pub fn get_text(&self, key: &str) -> Result<Option<String>> {
        let value = self.get(key)?.map(String::from_utf8).transpose();
        value.map_err(|_| Error::Other(format!("the value of `{key}` is not UTF-8")))
    }

    /// The values of several keys, in their order, in few calls of the host.
    pub fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
        self.0.get_many(keys)
    }

    /// Sets the value of a key, text or bytes.
    pub fn set(&self, key: &str, value: impl AsRef<[u8]>) -> Result {
        self.0.set(key, value.as_ref())
    }

    /// Deletes a key and its value. Does nothing if the key has none.
    pub fn delete(&self, key: &str) -> Result {
        self.0.delete(key)
    }

    /// Whether a key has a value.
    pub fn exists(&self, key: &str) -> Result<bool> {
        self.0.exists(key)
    }

    /// Adds to a value that is a decimal number, and returns the sum. A missing value counts as 0.
    /// No other instance can interfere.
    pub fn increment(&self, key: &str, by: i64) -> Result<i64> {
        self.0.increment(key, by)
    }

    /// Replaces a value by one that depends on it, and returns whether it did. `next` gets the
    /// current value, and returns the new one, or `None` to leave it. If another instance changes
    /// the value in between, `next` is called again.
    pub fn update(
        &self,
        key: &str,
        next: impl FnMut(Option<Vec<u8>>) -> Option<Vec<u8>>,
    ) -> Result<bool> {
        self.0.update(key, next)
    }

    /// All keys, sorted. The host returns them page by page: a key that is set or deleted meanwhile
    /// may be among them or not.
    pub fn keys(&self) -> Result<Vec<String>> {
        let mut keys = self.0.keys()?;
        keys.sort();
        keys.dedup();
        Ok(keys)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::NoSuchStore => "there is no bucket with this name",
            Error::AccessDenied => "access to the bucket is denied",
            Error::Other(reason) => reason,
        })
    }
}

impl std::error::Error for Error {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::internal(error)
    }
}
