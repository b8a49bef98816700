//! Reads handler files: once, whole, and only regular files.

use super::demos;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use system::opening;
use system::trust::{Trust, signature_of};

/// The largest handler file, in bytes: ten times a JavaScript engine with its program.
const MAX_FILE_BYTES: u64 = 256 << 20;
/// The largest signature, in bytes: minisign's own limits for its four lines add up to less.
const MAX_SIGNATURE_BYTES: u64 = 16 << 10;

/// A handler file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandlerFile {
    /// Its path.
    pub path: PathBuf,
    /// Its content.
    pub(crate) bytes: Vec<u8>,
    /// The content of its signature file.
    signature: Option<Vec<u8>>,
}

/// Why a handler file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    #[error("cannot be read: {cause}; hint: {hint}")]
    Missing { cause: io::Error, hint: String },
    #[error("is a directory; hint: name the .wasm or .wat file in it")]
    Directory,
    #[error("is not a regular file")]
    NoFile,
    #[error("is larger than {0} bytes")]
    TooLarge(u64),
    #[error("is empty")]
    Empty,
    #[error("has an unreadable signature: {0}")]
    Signature(io::Error),
}

impl HandlerFile {
    /// Reads the file at `path`, and its signature if required and present. Blocks.
    pub(crate) fn read(path: &Path, trust: &Trust) -> Result<Self, FileError> {
        let file = open(path).map_err(|cause| FileError::of_path(cause, path))?;
        let signature = if trust.wants_signatures() {
            open_signature(path).map_err(FileError::Signature)?
        } else {
            None
        };
        HandlerFile::from_opened(path.to_owned(), file, signature)
    }

    /// Reads a file and its signature, if any, that a client has opened at `path` and beside it.
    /// Blocks.
    pub fn from_opened(
        path: PathBuf,
        file: File,
        signature: Option<File>,
    ) -> Result<Self, FileError> {
        let signature = signature.map(|it| read_whole(it, MAX_SIGNATURE_BYTES));
        Ok(HandlerFile {
            bytes: read_whole(file, MAX_FILE_BYTES)?,
            signature: signature.transpose().map_err(FileError::of_signature)?,
            path,
        })
    }

    /// Reads a component to its end from anything else, such as a pipe. Blocks.
    pub fn from_stream(path: PathBuf, stream: impl Read) -> Result<Self, FileError> {
        Ok(HandlerFile {
            bytes: read_to_end(stream, MAX_FILE_BYTES, 0)?,
            signature: None,
            path,
        })
    }

    pub(crate) fn signature(&self) -> Option<&[u8]> {
        self.signature.as_deref()
    }
}

impl FileError {
    /// Why this path cannot be opened. A missing file of an example hints at what is there instead.
    fn of_path(cause: io::Error, path: &Path) -> Self {
        let hint = match demos::instead_of(path) {
            Some(hint) if cause.kind() == io::ErrorKind::NotFound => hint,
            _ => return FileError::Read(cause),
        };
        FileError::Missing { cause, hint }
    }

    fn of_signature(self) -> Self {
        FileError::Signature(match self {
            FileError::Read(cause) => cause,
            other => io::Error::other(format!("it {other}")),
        })
    }
}

/// Opens a handler's file.
pub fn open(path: &Path) -> io::Result<File> {
    opening::open(path)
}

/// Opens the signature of a file, if there is one.
pub fn open_signature(path: &Path) -> io::Result<Option<File>> {
    match open(&signature_of(path)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some),
    }
}

fn read_whole(file: File, limit: u64) -> Result<Vec<u8>, FileError> {
    let metadata = file.metadata()?;
    let kind = metadata.file_type();
    if kind.is_dir() {
        return Err(FileError::Directory);
    }
    if !kind.is_file() {
        return Err(FileError::NoFile);
    }
    read_to_end(file, limit, metadata.len())
}

/// Reads `expected` bytes without growing the buffer.
fn read_to_end(stream: impl Read, limit: u64, expected: u64) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::with_capacity(expected.min(limit) as usize + 1);
    stream.take(limit + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 {
        0 => Err(FileError::Empty),
        length if length > limit => Err(FileError::TooLarge(limit)),
        _ => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_whatever_its_size_says() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let written: Vec<u8> = (0..100_000_u32).map(|it| it as u8).collect();
        std::fs::write(&path, &written).unwrap();
        let read = |said| read_to_end(File::open(&path).unwrap(), 100_000, said);
        // It grew or shrank meanwhile, or lies as files of /proc do.
        for said in [0, 99_999, 100_000, 100_001, u64::MAX] {
            assert!(read(said).unwrap() == written, "{said}");
        }
        assert!(matches!(
            read_to_end(File::open(&path).unwrap(), 99_999, 1),
            Err(FileError::TooLarge(99_999))
        ));
    }
}
