//! The file system of a guest that is granted no directory: one directory, `/`, in which nothing is permitted.
//!
//! Standard libraries ask for directories when they start, whether or not files are ever used, and if there are none
//! they refuse to open a file without asking the host. A directory that denies everything is what lets the host see
//! what a guest reaches for. It stands for no directory of the machine: there is no way from here into the real
//! file system, whose code such a guest can't reach at all.

use super::denials::Want;
use super::state::Guest;
use wasmtime::component::{Linker, Resource, ResourceType, Val};
use wasmtime::{Result, StoreContextMut};

/// In the version that wasmtime offers.
const TYPES: &str = "wasi:filesystem/types@0.2.12";
const PREOPENS: &str = "wasi:filesystem/preopens@0.2.12";

/// What can be done with a directory, or by way of it, that has a result which may be an error.
const METHODS: [&str; 24] = [
    "advise",
    "append-via-stream",
    "create-directory-at",
    "link-at",
    "metadata-hash",
    "metadata-hash-at",
    "open-at",
    "read",
    "read-directory",
    "read-via-stream",
    "readlink-at",
    "remove-directory-at",
    "rename-at",
    "set-size",
    "set-times",
    "set-times-at",
    "stat",
    "stat-at",
    "symlink-at",
    "sync",
    "sync-data",
    "unlink-file-at",
    "write",
    "write-via-stream",
];

/// The directory that is none.
struct NoDirectory;

/// What `linker` offers, but for the file system.
pub fn offer(linker: &Linker<Guest>) -> Result<Linker<Guest>> {
    let mut linker = linker.clone();
    linker.allow_shadowing(true);
    let mut types = linker.instance(TYPES)?;
    let directory = ResourceType::host::<NoDirectory>();
    types.resource("descriptor", directory, |_, _| Ok(()))?;
    for method in METHODS {
        let name = format!("[method]descriptor.{method}");
        types.func_new(&name, |mut store, _, handles, results| {
            store.data().deny(Want::Files);
            give_back(&mut store, handles)?;
            give(results, Err(Val::Enum("access".into())))
        })?;
    }
    // Libraries ask what it is before they do anything with it.
    types.func_new(
        "[method]descriptor.get-type",
        |mut store, _, handles, results| {
            give_back(&mut store, handles)?;
            give(results, Ok(Val::Enum("directory".into())))
        },
    )?;
    types.func_new(
        "[method]descriptor.get-flags",
        |mut store, _, handles, results| {
            give_back(&mut store, handles)?;
            give(results, Ok(Val::Flags(vec!["read".into()])))
        },
    )?;
    let mut preopens = linker.instance(PREOPENS)?;
    preopens.func_wrap("get-directories", |_, (): ()| {
        let root = (Resource::<NoDirectory>::new_own(0), "/".to_owned());
        Ok((vec![root],))
    })?;
    linker.allow_shadowing(false);
    Ok(linker)
}

/// Ends the loan of the handles that a function was called with.
fn give_back(store: &mut StoreContextMut<'_, Guest>, parameters: &[Val]) -> Result<()> {
    for parameter in parameters {
        if let Val::Resource(handle) = parameter {
            handle.try_into_resource::<NoDirectory>(&mut *store)?;
        }
    }
    Ok(())
}

/// Every one of these functions has one result.
fn give(results: &mut [Val], value: Result<Val, Val>) -> Result<()> {
    results.fill(Val::Result(match value {
        Ok(value) => Ok(Some(Box::new(value))),
        Err(error) => Err(Some(Box::new(error))),
    }));
    Ok(())
}
