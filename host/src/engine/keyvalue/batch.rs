//! The interface `wasi:keyvalue/batch`: many keys at once, which are counted and measured before they are decoded.

use super::bindings::wasi::keyvalue::store::Error;
use super::{Bucket, VERSION};
use crate::engine::guest::Guest;
use crate::keyvalue::{StoreError, check_key, check_number, check_sum};
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
                let keys = keys_of(&mut store, &keys)?;
                Ok((store.data_mut().get_many(&bucket, keys).await?,))
            })
        },
    )?;
    batch.func_wrap_async(
        "set-many",
        |mut store, (bucket, entries): (Resource<Bucket>, WasmList<Entry>)| {
            Box::new(async move {
                let entries = entries_of(&mut store, &entries)?;
                Ok((store.data_mut().set_many(&bucket, entries).await?,))
            })
        },
    )?;
    batch.func_wrap_async(
        "delete-many",
        |mut store, (bucket, keys): (Resource<Bucket>, WasmList<WasmStr>)| {
            Box::new(async move {
                let keys = keys_of(&mut store, &keys)?;
                Ok((store.data_mut().delete_many(&bucket, keys).await?,))
            })
        },
    )
}

/// What cannot be decoded ends the guest, what is too much it is told.
type Checked<T> = Result<Result<T, StoreError>>;

fn keys_of(
    store: &mut StoreContextMut<'_, Guest>,
    keys: &WasmList<WasmStr>,
) -> Checked<Vec<String>> {
    if let Err(error) = check_number(keys.len()) {
        return Ok(Err(error));
    }
    let keys: Vec<_> = keys.iter(&mut *store)?.collect::<Result<_>>()?;
    // The first that is too long is the last that is decoded.
    keys.iter().map(|key| key_of(store, key)).collect()
}

fn key_of(store: &StoreContextMut<'_, Guest>, key: &WasmStr) -> Checked<String> {
    let key = key.to_str(store)?;
    Ok(check_key(&key).map(|()| key.into_owned()))
}

fn entries_of(
    store: &mut StoreContextMut<'_, Guest>,
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
        let key = key_of(store, key)?;
        Ok(key.map(|key| (key, value.as_le_slice(store).to_vec())))
    };
    entries.iter().map(copied).collect()
}

impl Guest {
    async fn get_many(
        &mut self,
        bucket: &Resource<Bucket>,
        keys: Result<Vec<String>, StoreError>,
    ) -> Result<Result<Found, Error>> {
        let (bucket, store) = self.bucket_and_store(bucket)?;
        let get = async {
            let keys = keys?;
            let values = store.get(&bucket.keys(&keys)?).await?;
            let entries = keys.into_iter().zip(values);
            Ok(entries.map(|(key, value)| Some((key, value?))).collect())
        };
        let found = get.await;
        Ok(self.told(found))
    }

    async fn set_many(
        &mut self,
        bucket: &Resource<Bucket>,
        entries: Result<Vec<(String, Vec<u8>)>, StoreError>,
    ) -> Result<Result<(), Error>> {
        let (bucket, store) = self.bucket_and_store(bucket)?;
        let set = async {
            let entries = entries?.into_iter();
            let entries = entries.map(|(key, value)| Ok((bucket.key(&key)?, value)));
            store.set(entries.collect::<Result<_, StoreError>>()?).await
        };
        let set = set.await;
        Ok(self.told(set))
    }

    async fn delete_many(
        &mut self,
        bucket: &Resource<Bucket>,
        keys: Result<Vec<String>, StoreError>,
    ) -> Result<Result<(), Error>> {
        let (bucket, store) = self.bucket_and_store(bucket)?;
        let delete = async { store.delete(&bucket.keys(&keys?)?).await };
        let deleted = delete.await;
        Ok(self.told(deleted))
    }
}
