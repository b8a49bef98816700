//! Reads the entries of a folder in batches, however many there are.

use rustix::fs::{AtFlags, Dir, FileType, statat};
use std::collections::VecDeque;
use std::ffi::CStr;
use std::fs::File;
use std::io;
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorType, DirectoryEntry, ErrorCode};

/// The entries of a batch.
const BATCH: usize = 128;

/// The remaining entries of a folder, as `directory-entry-stream` of `wasi:filesystem` returns
/// them.
#[derive(Default)]
pub struct Entries {
    /// `None` at the end, and while a batch is being read.
    folder: Option<Dir>,
    ahead: VecDeque<Result<DirectoryEntry, ErrorCode>>,
}

impl Entries {
    /// The entries of an open folder, from the first.
    pub fn of(folder: &File) -> io::Result<Self> {
        Ok(Entries {
            folder: Some(Dir::read_from(folder)?),
            ahead: VecDeque::new(),
        })
    }

    /// Whether the next entry needs another read.
    pub fn must_read(&self) -> bool {
        self.ahead.is_empty() && self.folder.is_some()
    }

    /// Reads a batch. May wait for the disk.
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

    /// The next entry of the batch.
    pub fn next(&mut self) -> Option<Result<DirectoryEntry, ErrorCode>> {
        self.ahead.pop_front()
    }
}

fn shown(folder: &Dir, entry: &rustix::fs::DirEntry) -> Result<DirectoryEntry, ErrorCode> {
    let kind = match entry.file_type() {
        // Some file systems do not report the type.
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
