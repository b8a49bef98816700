//! Reads a file of exchanges.

use exchange::{Exchanges, MAX_FILE_BYTES, ParseError, parse};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use system::opening;

/// Why a file cannot be played.
#[derive(Debug, thiserror::Error)]
#[error("{}{fault}", path.display())]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// The fault.
    pub fault: FileFault,
}

/// What is wrong with a file of exchanges.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    #[error(": cannot be read: {0}")]
    Read(#[from] io::Error),
    #[error(": is larger than {MAX_FILE_BYTES} bytes: split it")]
    TooLarge,
    // In the format of compilers, so that editors find the position.
    #[error(":{0}")]
    Parse(#[from] ParseError),
}

/// The exchanges of a file. Blocks.
pub fn read(path: &Path) -> Result<Exchanges, FileError> {
    try_read(path).map_err(|fault| FileError {
        path: path.to_owned(),
        fault,
    })
}

fn try_read(path: &Path) -> Result<Exchanges, FileFault> {
    let mut bytes = Vec::new();
    let file = opening::open(path)?;
    file.take(MAX_FILE_BYTES as u64 + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(FileFault::TooLarge);
    }
    Ok(parse(&bytes)?)
}
