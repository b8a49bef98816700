//! The host's store, through the bindings of `wasi:keyvalue`.

use super::{Error, Result};
use crate::bindings::keyvalue::atomics::{self, Cas, CasError};
use crate::bindings::keyvalue::{batch, store};

/// What the host accepts in one call.
const MAX_BATCH_KEYS: usize = 1000;

#[derive(Debug)]
pub struct Bucket(store::Bucket);

pub fn open(name: &str) -> Result<Bucket> {
    Ok(Bucket(store::open(name)?))
}

impl Bucket {
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.0.get(key)?)
    }

    pub fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
        let mut values = Vec::with_capacity(keys.len());
        for part in keys.chunks(MAX_BATCH_KEYS) {
            let found = batch::get_many(&self.0, part)?;
            values.extend(found.into_iter().map(|pair| pair.map(|(_, value)| value)));
        }
        Ok(values)
    }

    pub fn set(&self, key: &str, value: &[u8]) -> Result {
        Ok(self.0.set(key, value)?)
    }

    pub fn delete(&self, key: &str) -> Result {
        Ok(self.0.delete(key)?)
    }

    pub fn exists(&self, key: &str) -> Result<bool> {
        Ok(self.0.exists(key)?)
    }

    pub fn increment(&self, key: &str, by: i64) -> Result<i64> {
        Ok(atomics::increment(&self.0, key, by)?)
    }

    /// Compares and swaps until no other instance has interfered.
    pub fn update(
        &self,
        key: &str,
        mut next: impl FnMut(Option<Vec<u8>>) -> Option<Vec<u8>>,
    ) -> Result<bool> {
        let mut cas = Cas::new(&self.0, key)?;
        loop {
            let Some(value) = next(cas.current()?) else {
                return Ok(false);
            };
            match atomics::swap(cas, &value) {
                Ok(()) => return Ok(true),
                Err(CasError::CasFailed(again)) => cas = again,
                Err(CasError::StoreError(error)) => return Err(error.into()),
            }
        }
    }

    pub fn keys(&self) -> Result<Vec<String>> {
        let mut keys = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.0.list_keys(cursor.as_deref())?;
            keys.extend(page.keys);
            cursor = page.cursor;
            if cursor.is_none() {
                return Ok(keys);
            }
        }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::NoSuchStore => Error::NoSuchStore,
            store::Error::AccessDenied => Error::AccessDenied,
            store::Error::Other(reason) => Error::Other(reason),
        }
    }
}
