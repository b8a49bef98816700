//! What guests do with paths in directories they were granted where wasmtime's own functions would wait for others: see
//! `beneath`.

use super::state::Guest;
use rustix::fs::{OFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
use std::fs::File;
use std::sync::Arc;
use system::beneath;
use tokio::task::spawn_blocking;
use wasmtime::component::Resource;
use wasmtime_wasi::FsPerms;
use wasmtime_wasi::filesystem::{self, Descriptor, Dir, OpenMode, WasiFilesystemView};
use wasmtime_wasi::p2::FsResult;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, ErrorCode, HostDescriptor, NewTimestamp, OpenFlags, PathFlags,
};

impl Guest {
    /// `open-at` of `wasi:filesystem`, for files and folders.
    pub(crate) async fn open_at(
        &mut self,
        folder: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Resource<Descriptor>> {
        let (start, permissions) = self.folder(&folder)?;
        let (how, mode) = how_to_open(open_flags, flags, permissions)?;
        let follows = path_flags.contains(PathFlags::SYMLINK_FOLLOW);
        let found = {
            let path = path.clone();
            spawn_blocking(move || {
                let Some(opened) = beneath::open(&start, &path, how, follows)? else {
                    return Ok(None);
                };
                let is_folder = opened.metadata()?.is_dir();
                Ok::<_, std::io::Error>(Some((opened, is_folder)))
            })
        };
        let found = found.await.map_err(|_| ErrorCode::Io)??;
        let Some((opened, is_folder)) = found else {
            let mut files = self.filesystem();
            return files
                .open_at(folder, path_flags, path, open_flags, flags)
                .await;
        };
        let descriptor = match is_folder {
            true => Descriptor::Dir(Dir::new(opened, permissions, mode, false)),
            false if open_flags.contains(OpenFlags::DIRECTORY) => {
                return Err(ErrorCode::NotDirectory.into());
            }
            false => Descriptor::File(filesystem::File::new(opened, permissions, mode, false)),
        };
        Ok(self.table.push(descriptor)?)
    }

    /// `set-times-at` of `wasi:filesystem`.
    pub(crate) async fn set_times_at(
        &mut self,
        folder: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        let (start, permissions) = self.folder(&folder)?;
        if permissions == FsPerms::ReadOnly {
            return Err(ErrorCode::NotPermitted.into());
        }
        if path_flags.contains(PathFlags::SYMLINK_FOLLOW) {
            let times = Timestamps {
                last_access: timestamp(accessed)?,
                last_modification: timestamp(modified)?,
            };
            let path = path.clone();
            let set = spawn_blocking(move || beneath::set_times(&start, &path, &times));
            if set.await.map_err(|_| ErrorCode::Io)?? {
                return Ok(());
            }
        }
        // Without following a link nothing is opened, so nothing is waited for.
        let mut files = self.filesystem();
        files
            .set_times_at(folder, path_flags, path, accessed, modified)
            .await
    }

    fn folder(&mut self, folder: &Resource<Descriptor>) -> FsResult<(Arc<File>, FsPerms)> {
        match self.table.get(folder)? {
            Descriptor::Dir(folder) => Ok((folder.dir.clone(), folder.perms)),
            Descriptor::File(_) => Err(ErrorCode::NotDirectory.into()),
        }
    }
}

/// The flags for the kernel, and what the guest may do then.
fn how_to_open(
    open: OpenFlags,
    flags: DescriptorFlags,
    permissions: FsPerms,
) -> Result<(OFlags, OpenMode), ErrorCode> {
    let synchronous = DescriptorFlags::FILE_INTEGRITY_SYNC
        | DescriptorFlags::DATA_INTEGRITY_SYNC
        | DescriptorFlags::REQUESTED_WRITE_SYNC;
    if flags.intersects(synchronous) {
        return Err(ErrorCode::Unsupported);
    }
    let creating = OpenFlags::CREATE | OpenFlags::EXCLUSIVE | OpenFlags::TRUNCATE;
    if open.contains(OpenFlags::DIRECTORY) && open.intersects(creating) {
        return Err(ErrorCode::Invalid);
    }
    let creates = open.contains(OpenFlags::CREATE);
    let truncates = open.contains(OpenFlags::TRUNCATE);
    let writes = creates || truncates || flags.contains(DescriptorFlags::WRITE);
    if writes && permissions == FsPerms::ReadOnly {
        return Err(ErrorCode::NotPermitted);
    }
    // What is not opened to be written is opened to be read.
    let reads = flags.contains(DescriptorFlags::READ) || !flags.contains(DescriptorFlags::WRITE);
    let mut mode = OpenMode::empty();
    mode.set(OpenMode::READ, reads);
    mode.set(OpenMode::WRITE, writes);
    let mut how = match (reads, writes) {
        (true, true) => OFlags::RDWR,
        (false, true) => OFlags::WRONLY,
        (_, false) => OFlags::RDONLY,
    };
    how.set(OFlags::CREATE, creates);
    how.set(OFlags::EXCL, creates && open.contains(OpenFlags::EXCLUSIVE));
    how.set(OFlags::TRUNC, truncates);
    Ok((how, mode))
}

fn timestamp(new: NewTimestamp) -> Result<Timespec, ErrorCode> {
    let special = |nanoseconds| Timespec {
        tv_sec: 0,
        tv_nsec: nanoseconds,
    };
    Ok(match new {
        NewTimestamp::NoChange => special(UTIME_OMIT),
        NewTimestamp::Now => special(UTIME_NOW),
        NewTimestamp::Timestamp(time) => Timespec {
            tv_sec: time.seconds.try_into().map_err(|_| ErrorCode::Overflow)?,
            tv_nsec: time.nanoseconds.into(),
        },
    })
}
