//! What a guest reads of a folder: its entries, some at a time, however many there are.

use rustix::fs::{AtFlags, Dir, FileType, statat};
use std::collections::VecDeque;
use std::ffi::CStr;
use std::fs::File;
use std::io;
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorType, DirectoryEntry, ErrorCode};

/// Entries that are read ahead.
const BATCH: usize = 128;

/// The entries of a folder, or what is left of them, as `directory-entry-stream` of `wasi:filesystem` shows them.
#[derive(Default)]
pub struct Entries {
    /// Nothing once all are read, and while some are.
    folder: Option<Dir>,
    ahead: VecDeque<Result<DirectoryEntry, ErrorCode>>,
}

impl Entries {
    /// Those of an open folder, from the first on.
    pub fn of(folder: &File) -> io::Result<Self> {
        Ok(Entries {
            folder: Some(Dir::read_from(folder)?),
            ahead: VecDeque::new(),
        })
    }

    /// Whether entries have to be read before there is a next one.
    pub fn must_read(&self) -> bool {
        self.ahead.is_empty() && self.folder.is_some()
    }

    /// Reads some. It may wait for the disk.
    pub fn read(mut self) -> Self {
        let Some(mut folder) = self.folder.take() else {
            return self;
        };
        while self.ahead.len() < BATCH {
            match folder.read() {
                None => return self,
                Some(Ok(entry)) if [c".", c".."].contains(&entry.file_name()) => {}
                Some(Ok(entry)) => self.ahead.push_back(shown(&folder, &entry)),
                Some(Err(error)) => {
                    self.ahead.push_back(Err(io::Error::from(error).into()));
                    return self;
                }
            }
        }
        self.folder = Some(folder);
        self
    }

    /// The next one that was read.
    pub fn next(&mut self) -> Option<Result<DirectoryEntry, ErrorCode>> {
        self.ahead.pop_front()
    }
}

fn shown(folder: &Dir, entry: &rustix::fs::DirEntry) -> Result<DirectoryEntry, ErrorCode> {
    let kind = match entry.file_type() {
        // Some file systems don't tell.
        FileType::Unknown => kind_at(folder, entry.file_name())?,
        kind => kind,
    };
    let name = entry.file_name().to_str();
    Ok(DirectoryEntry {
        type_: match kind {
            FileType::RegularFile => DescriptorType::RegularFile,
            FileType::Directory => DescriptorType::Directory,
            FileType::Symlink => DescriptorType::SymbolicLink,
            FileType::Fifo => DescriptorType::Fifo,
            FileType::Socket => DescriptorType::Socket,
            FileType::CharacterDevice => DescriptorType::CharacterDevice,
            FileType::BlockDevice => DescriptorType::BlockDevice,
            FileType::Unknown => DescriptorType::Unknown,
        },
        name: name.map_err(|_| ErrorCode::IllegalByteSequence)?.to_owned(),
    })
}

fn kind_at(folder: &Dir, name: &CStr) -> io::Result<FileType> {
    let found = statat(folder.fd()?, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(FileType::from_raw_mode(found.st_mode))
}
