//! The interface `wasi:keyvalue/batch`: many keys at once, which are counted and measured before they are decoded.

use super::bindings::wasi::keyvalue::store::Error;
use super::{Bucket, VERSION};
use crate::guest::state::Guest;
use keyvalue::{StoreError, check_number, check_sum};
use wasmtime::component::{Linker, Resource, WasmList, WasmStr};
use wasmtime::{Result, StoreContextMut};

type Entry = (WasmStr, WasmList<u8>);
type Found = Vec<Option<(String, Vec<u8>)>>;

/// Offers it in a linker.
pub fn offer(linker: &mut Linker<Guest>) -> Result<()> {
    let mut batch = linker.instance(&format!("wasi:keyvalue/batch{VERSION}"))?;
    batch.func_wrap_async(
        "get-many",
        |mut store, (bucket, keys): (Resource<Bucket>, WasmList<WasmStr>)| {
            Box::new(async move {
                let bucket = store.data().bucket(&bucket)?.clone();
                let keys = keys_of(&mut store, &bucket, &keys)?;
                Ok((store.data_mut().get_many(&bucket, keys).await,))
            })
        },
    )?;
    batch.func_wrap_async(
        "set-many",
        |mut store, (bucket, entries): (Resource<Bucket>, WasmList<Entry>)| {
            Box::new(async move {
                let bucket = store.data().bucket(&bucket)?.clone();
                let entries = entries_of(&mut store, &bucket, &entries)?;
                Ok((store.data_mut().set_many(entries).await,))
            })
        },
    )?;
    batch.func_wrap_async(
        "delete-many",
        |mut store, (bucket, keys): (Resource<Bucket>, WasmList<WasmStr>)| {
            Box::new(async move {
                let bucket = store.data().bucket(&bucket)?.clone();
                let keys = keys_of(&mut store, &bucket, &keys)?;
                Ok((store.data_mut().delete_many(keys).await,))
            })
        },
    )
}

/// What cannot be decoded ends the guest, what is too much it is told.
type Checked<T> = Result<Result<T, StoreError>>;

/// The keys as the store knows them.
fn keys_of(
    store: &mut StoreContextMut<'_, Guest>,
    bucket: &Bucket,
    keys: &WasmList<WasmStr>,
) -> Checked<Vec<String>> {
    if let Err(error) = check_number(keys.len()) {
        return Ok(Err(error));
    }
    let keys: Vec<_> = keys.iter(&mut *store)?.collect::<Result<_>>()?;
    let key_of = |key: &WasmStr| Ok(bucket.key(&key.to_str(&*store)?));
    // The first that is too long is the last that is decoded.
    keys.iter().map(key_of).collect()
}

fn entries_of(
    store: &mut StoreContextMut<'_, Guest>,
    bucket: &Bucket,
    entries: &WasmList<Entry>,
) -> Checked<Vec<(String, Vec<u8>)>> {
    if let Err(error) = check_number(entries.len()) {
        return Ok(Err(error));
    }
    let entries: Vec<_> = entries.iter(&mut *store)?.collect::<Result<_>>()?;
    // The values of several may be the same bytes of the guest.
    if let Err(error) = check_sum(entries.iter().map(|(_, value)| value.len()).sum()) {
        return Ok(Err(error));
    }
    let store = &*store;
    let copied = |(key, value): &Entry| {
        let key = bucket.key(&key.to_str(store)?);
        Ok(key.map(|key| (key, value.as_le_slice(store).to_vec())))
    };
    entries.iter().map(copied).collect()
}

impl Guest {
    async fn get_many(
        &mut self,
        bucket: &Bucket,
        keys: Result<Vec<String>, StoreError>,
    ) -> Result<Found, Error> {
        let store = self.store().clone();
        let get = async {
            let keys = keys?;
            let values = store.get(&keys).await?;
            // The guest knows them without the bucket's name.
            let keys = keys
                .into_iter()
                .map(|mut key| key.split_off(bucket.prefix.len()));
            let entries = keys.zip(values);
            Ok(entries.map(|(key, value)| Some((key, value?))).collect())
        };
        let found = get.await;
        self.told(found)
    }

    async fn set_many(
        &mut self,
        entries: Result<Vec<(String, Vec<u8>)>, StoreError>,
    ) -> Result<(), Error> {
        let store = self.store().clone();
        let set = async { store.set(entries?).await };
        let set = set.await;
        self.told(set)
    }

    async fn delete_many(&mut self, keys: Result<Vec<String>, StoreError>) -> Result<(), Error> {
        let store = self.store().clone();
        let delete = async { store.delete(&keys?).await };
        let deleted = delete.await;
        self.told(deleted)
    }
}
