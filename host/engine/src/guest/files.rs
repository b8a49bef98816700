//! The file system for guests with granted directories: limits open files per instance and in
//! total.

use super::folder::Entries;
use super::state::Guest;
use crate::scheduling::fair_share::FairShare;
use connection::limits::{Limit, MAX_OPEN_FILES, MAX_OPEN_FILES_OF_INSTANCE, RESERVED_DESCRIPTORS};
use std::any::Any;
use std::sync::Arc;
use system::descriptors;
use tokio::task::spawn_blocking;
use wasmtime::Result;
use wasmtime::component::{Linker, LinkerInstance, Resource, ResourceType};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemCtxView, WasiFilesystemView};
#[cfg(target_os = "linux")]
use wasmtime_wasi::p2::bindings::filesystem::types::NewTimestamp;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, ErrorCode, HostDescriptor, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsResult};

/// The version that wasmtime offers.
const TYPES: &str = "wasi:filesystem/types@0.2.12";

/// The error of a guest at its limit of open files; WASI has no code for that.
const FULL: ErrorCode = ErrorCode::InsufficientMemory;

/// The open files of all guests together: without the descriptors that `connections` and the
/// process itself need.
pub fn permits(connections: usize) -> Arc<FairShare> {
    let descriptors = descriptors::allowed().unwrap_or(u64::MAX);
    let reserved = connections.saturating_add(RESERVED_DESCRIPTORS);
    let left = usize::try_from(descriptors)
        .unwrap_or(usize::MAX)
        .saturating_sub(reserved);
    FairShare::of(left.clamp(MAX_OPEN_FILES_OF_INSTANCE, MAX_OPEN_FILES))
}

/// Adds it to a linker, replacing wasmtime's functions.
pub fn offer(linker: &mut Linker<Guest>) -> Result<()> {
    let mut types = linker.instance(TYPES)?;
    types.func_wrap_async(
        "[method]descriptor.open-at",
        |mut store,
         (folder, path_flags, path, open_flags, flags): (
            Resource<Descriptor>,
            PathFlags,
            String,
            OpenFlags,
            DescriptorFlags,
        )| {
            Box::new(async move {
                let guest = store.data_mut();
                if !guest.may_open_another() {
                    return Ok((Err(FULL),));
                }
                #[cfg(not(target_os = "linux"))]
                let mut guest = guest.filesystem();
                let opened = guest.open_at(folder, path_flags, path, open_flags, flags);
                Ok((told(opened.await)?,))
            })
        },
    )?;
    #[cfg(target_os = "linux")]
    types.func_wrap_async(
        "[method]descriptor.set-times-at",
        |mut store,
         (folder, path_flags, path, accessed, modified): (
            Resource<Descriptor>,
            PathFlags,
            String,
            NewTimestamp,
            NewTimestamp,
        )| {
            Box::new(async move {
                let guest = store.data_mut();
                let set = guest.set_times_at(folder, path_flags, path, accessed, modified);
                Ok((told(set.await)?,))
            })
        },
    )?;
    types.func_wrap(
        "[method]descriptor.read-via-stream",
        |mut store, (file, offset): (Resource<Descriptor>, u64)| {
            Ok((store
                .data_mut()
                .stream(|files| files.read_via_stream(file, offset))?,))
        },
    )?;
    types.func_wrap(
        "[method]descriptor.write-via-stream",
        |mut store, (file, offset): (Resource<Descriptor>, u64)| {
            Ok((store
                .data_mut()
                .stream(|files| files.write_via_stream(file, offset))?,))
        },
    )?;
    types.func_wrap(
        "[method]descriptor.append-via-stream",
        |mut store, (file,): (Resource<Descriptor>,)| {
            Ok((store
                .data_mut()
                .stream(|files| files.append_via_stream(file))?,))
        },
    )?;
    offer_folders(&mut types)
}

/// Reads the entries of a folder in batches. Wasmtime's own function reads all at once.
fn offer_folders(types: &mut LinkerInstance<'_, Guest>) -> Result<()> {
    types.resource(
        "directory-entry-stream",
        ResourceType::host::<Entries>(),
        |mut store, entries| {
            let entries = Resource::<Entries>::new_own(entries);
            store.data_mut().table.delete(entries)?;
            Ok(())
        },
    )?;
    types.func_wrap(
        "[method]descriptor.read-directory",
        |mut store, (folder,): (Resource<Descriptor>,)| {
            let entries = store.data_mut().read_directory(&folder);
            Ok((told(entries)?,))
        },
    )?;
    types.func_wrap_async(
        "[method]directory-entry-stream.read-directory-entry",
        |mut store, (entries,): (Resource<Entries>,)| {
            Box::new(async move {
                let guest = store.data_mut();
                if guest.table.get(&entries)?.must_read() {
                    let read = std::mem::take(guest.table.get_mut(&entries)?);
                    let read = spawn_blocking(move || read.read()).await?;
                    *guest.table.get_mut(&entries)? = read;
                }
                let entry = guest.table.get_mut(&entries)?.next();
                Ok((entry.transpose(),))
            })
        },
    )
}

/// The outer error ends the guest; the inner one is returned to it.
fn told<T>(result: FsResult<T>) -> Result<Result<T, ErrorCode>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) => Ok(Err(error.downcast()?)),
    }
}

impl Guest {
    fn stream<T>(
        &mut self,
        open: impl FnOnce(&mut WasiFilesystemCtxView<'_>) -> FsResult<T>,
    ) -> Result<Result<T, ErrorCode>> {
        if self.may_open_another() {
            told(open(&mut self.filesystem()))
        } else {
            Ok(Err(FULL))
        }
    }

    fn read_directory(&mut self, folder: &Resource<Descriptor>) -> FsResult<Resource<Entries>> {
        let folder = match self.table.get(folder)? {
            Descriptor::Dir(folder) => folder.dir.clone(),
            Descriptor::File(_) => return Err(ErrorCode::NotDirectory.into()),
        };
        if !self.may_open_another() {
            return Err(FULL.into());
        }
        Ok(self.table.push(Entries::of(&folder)?)?)
    }

    /// Takes a permit for one more open file. A stream counts: it keeps its file open and may have
    /// read ahead.
    fn may_open_another(&mut self) -> bool {
        let (mut files, mut streams) = (0, 0);
        for it in self.table.iter_mut() {
            files += usize::from(it.is::<Descriptor>());
            streams += usize::from(is_stream(it));
        }
        if !self.files.take(files + streams, MAX_OPEN_FILES_OF_INSTANCE) {
            Limit::OpenFiles.reached();
            return false;
        }
        self.memory.charge_file_streams(streams + 1).is_ok()
    }
}

fn is_stream(it: &(dyn Any + Send)) -> bool {
    it.is::<DynInputStream>() || it.is::<DynOutputStream>() || it.is::<Entries>()
}
