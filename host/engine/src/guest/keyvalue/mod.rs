//! The interfaces of `wasi:keyvalue`: what guests keep in the store of their service.

mod batch;

use super::state::Guest;
use bindings::wasi::keyvalue::atomics::{self, CasError};
use bindings::wasi::keyvalue::store::{self, Error, KeyResponse};
use keyvalue::{Mark, Store, StoreError, check_key};
use tracing::Level;
use wasmtime::Result;
use wasmtime::component::{HasSelf, Linker, Resource};

mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit/deps/keyvalue.wit",
        world: "imports",
        imports: { default: async | trappable },
        with: {
            "wasi:keyvalue/store.bucket": super::Bucket,
            "wasi:keyvalue/atomics.cas": super::Cas,
        },
    });
}

/// Its package, with the version that is offered.
pub const PACKAGE: &str = "wasi:keyvalue/";
pub const VERSION: &str = "@0.2.0-draft2";

/// The longest name of a bucket, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// Keys that begin alike: with its name and a colon.
#[derive(Clone)]
pub struct Bucket {
    prefix: String,
}

/// A value that was looked at. It is not kept here: a guest may have thousands of these.
pub struct Cas {
    key: String,
    mark: Mark,
}

/// Offers them in a linker.
pub fn offer(linker: &mut Linker<Guest>) -> Result<()> {
    store::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)?;
    atomics::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)?;
    batch::offer(linker)
}

impl Bucket {
    /// No name has a character that would mean something to a store.
    fn of(name: &str) -> Option<Self> {
        let may = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_fine = (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(may);
        is_fine.then(|| Bucket {
            prefix: format!("{name}:"),
        })
    }

    /// Its length is checked before it is copied.
    fn key(&self, key: &str) -> Result<String, StoreError> {
        check_key(key)?;
        Ok(format!("{}{key}", self.prefix))
    }
}

impl Guest {
    fn bucket(&self, bucket: &Resource<Bucket>) -> Result<&Bucket> {
        Ok(self.table.get(bucket)?)
    }

    fn bucket_and_store(&self, bucket: &Resource<Bucket>) -> Result<(Bucket, Store)> {
        Ok((self.bucket(bucket)?.clone(), self.store().clone()))
    }

    /// What the guest is told, and its operator, if that is who can do something about it.
    fn told<T>(&mut self, result: Result<T, StoreError>) -> Result<T, Error> {
        result.map_err(|error| {
            let text = error.to_string();
            if error.concerns_the_operator() {
                self.log.log(Level::WARN, "wasi:keyvalue", &text);
            }
            Error::Other(text)
        })
    }

    /// Its key counts as the guest's memory, besides its handle.
    fn keep(&mut self, cas: Cas) -> Result<Resource<Cas>> {
        self.memory.take(cas.key.len())?;
        Ok(self.table.push(cas)?)
    }

    fn forget(&mut self, cas: Resource<Cas>) -> Result<Cas> {
        let cas = self.table.delete(cas)?;
        self.memory.give_back(cas.key.len());
        Ok(cas)
    }

    async fn look(&mut self, key: &str) -> Result<(Option<Vec<u8>>, Mark), Error> {
        let looked = self.store().look(key).await;
        self.told(looked)
    }
}

impl store::Host for Guest {
    async fn open(&mut self, identifier: String) -> Result<Result<Resource<Bucket>, Error>> {
        Ok(match Bucket::of(&identifier) {
            Some(bucket) => Ok(self.table.push(bucket)?),
            None => Err(Error::NoSuchStore),
        })
    }
}

impl store::HostBucket for Guest {
    async fn get(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
    ) -> Result<Result<Option<Vec<u8>>, Error>> {
        let (bucket, store) = self.bucket_and_store(&bucket)?;
        let get = async { store.get(&[bucket.key(&key)?]).await };
        let values = get.await;
        Ok(self
            .told(values)
            .map(|values| values.into_iter().flatten().next()))
    }

    async fn set(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
        value: Vec<u8>,
    ) -> Result<Result<(), Error>> {
        let (bucket, store) = self.bucket_and_store(&bucket)?;
        let set = async { store.set(vec![(bucket.key(&key)?, value)]).await };
        let set = set.await;
        Ok(self.told(set))
    }

    async fn delete(&mut self, bucket: Resource<Bucket>, key: String) -> Result<Result<(), Error>> {
        let (bucket, store) = self.bucket_and_store(&bucket)?;
        let delete = async { store.delete(&[bucket.key(&key)?]).await };
        let deleted = delete.await;
        Ok(self.told(deleted))
    }

    async fn exists(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
    ) -> Result<Result<bool, Error>> {
        let (bucket, store) = self.bucket_and_store(&bucket)?;
        let has = async { store.has(&bucket.key(&key)?).await };
        let has = has.await;
        Ok(self.told(has))
    }

    async fn list_keys(
        &mut self,
        bucket: Resource<Bucket>,
        cursor: Option<String>,
    ) -> Result<Result<KeyResponse, Error>> {
        let Bucket { prefix } = self.bucket(&bucket)?.clone();
        let page = self.store().list(&prefix, cursor).await;
        Ok(self.told(page).map(|page| KeyResponse {
            keys: page.keys,
            cursor: page.cursor,
        }))
    }

    async fn drop(&mut self, bucket: Resource<Bucket>) -> Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl atomics::Host for Guest {
    async fn increment(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
        delta: i64,
    ) -> Result<Result<i64, Error>> {
        let (bucket, store) = self.bucket_and_store(&bucket)?;
        let increment = async { store.increment(&bucket.key(&key)?, delta).await };
        let sum = increment.await;
        Ok(self.told(sum))
    }

    async fn swap(&mut self, cas: Resource<Cas>, value: Vec<u8>) -> Result<Result<(), CasError>> {
        let Cas { key, mark } = self.forget(cas)?;
        let swapped = self.store().swap(&key, &mark, value).await;
        match self.told(swapped) {
            Ok(true) => return Ok(Ok(())),
            Ok(false) => {}
            Err(error) => return Ok(Err(CasError::StoreError(error))),
        }
        Ok(Err(match self.look(&key).await {
            Ok((_, mark)) => CasError::CasFailed(self.keep(Cas { key, mark })?),
            Err(error) => CasError::StoreError(error),
        }))
    }
}

impl atomics::HostCas for Guest {
    async fn new(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
    ) -> Result<Result<Resource<Cas>, Error>> {
        let key = self.bucket(&bucket)?.key(&key);
        let key = match self.told(key) {
            Ok(key) => key,
            Err(error) => return Ok(Err(error)),
        };
        Ok(match self.look(&key).await {
            Ok((_, mark)) => Ok(self.keep(Cas { key, mark })?),
            Err(error) => Err(error),
        })
    }

    async fn current(&mut self, cas: Resource<Cas>) -> Result<Result<Option<Vec<u8>>, Error>> {
        let key = self.table.get(&cas)?.key.clone();
        Ok(match self.look(&key).await {
            Ok((value, mark)) => {
                self.table.get_mut(&cas)?.mark = mark;
                Ok(value)
            }
            Err(error) => Err(error),
        })
    }

    async fn drop(&mut self, cas: Resource<Cas>) -> Result<()> {
        self.forget(cas)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use connection::limits::MAX_KEY_BYTES;

    #[test]
    fn a_long_key_is_refused_before_it_is_copied() {
        let bucket = Bucket::of("b").unwrap();
        let long = "k".repeat(MAX_KEY_BYTES + 1);
        assert!(matches!(bucket.key(&long), Err(StoreError::LongKey(_))));
    }

    #[test]
    fn a_bucket_has_a_plain_name() {
        assert_eq!(
            Bucket::of("a-B_9.x").unwrap().key("k:1").unwrap(),
            "a-B_9.x:k:1"
        );
        for name in ["", "a:b", "a*", "a b", "ä", &"a".repeat(65)] {
            assert!(Bucket::of(name).is_none(), "{name}");
        }
    }
}
