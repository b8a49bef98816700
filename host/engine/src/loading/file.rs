//! Reads handler files: once, whole, and only regular files.

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
        let file = open(path)?;
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

    pub(crate) fn signature(&self) -> Option<&[u8]> {
        self.signature.as_deref()
    }
}

impl FileError {
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
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(FileError::Directory);
    }
    if !kind.is_file() {
        return Err(FileError::NoFile);
    }
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 {
        0 => Err(FileError::Empty),
        length if length > limit => Err(FileError::TooLarge(limit)),
        _ => Ok(bytes),
    }
}
