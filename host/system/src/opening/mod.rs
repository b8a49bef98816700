//! Opens the files that the host reads while it serves: configuration, handlers, keys,
//! certificates, probes.
//!
//! A confined process cannot open them. It asks a [`helper`], a process started before the sandbox
//! closed, which knows the files named by options and configuration and passes them opened. So a
//! path is resolved when it is used, and an attacker in the serving process gets no other file.
//!
//! The helper also starts compiling processes, see [`compile`].

mod client;
mod compiling;
pub mod helper;
mod names;

pub use client::ask;
pub use compiling::{COMPILED, OVER_A_LIMIT, REFUSED, compile, compile_with, is_outcome};
pub use names::Names;

use crate::confinement::why_unreadable;
use crate::limits::MAX_NAMED_FILE_BYTES;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

/// Opens a file for reading, through the helper if there is one. Opening a pipe does not block.
/// Blocks for the disk.
pub fn open(path: &Path) -> io::Result<File> {
    match client::open(path)? {
        Some(file) => Ok(file),
        None => open_here(path).map_err(|error| why_unreadable(path, error)),
    }
}

/// Reads a file of settings, keys or certificates, which is short. Blocks.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = MAX_NAMED_FILE_BYTES as u64;
    let file = open(path)?;
    if file.metadata()?.file_type().is_fifo() {
        // Nobody waits for who would write, so it would look empty.
        return Err(io::Error::other("it is a pipe, and a file is needed"));
    }
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_NAMED_FILE_BYTES {
        Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("larger than {MAX_NAMED_FILE_BYTES} bytes"),
        ))
    } else {
        Ok(bytes)
    }
}

/// Reads such a file as text. Blocks.
pub fn read_to_string(path: &Path) -> io::Result<String> {
    let text = String::from_utf8(read(path)?);
    text.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
}

fn open_here(path: &Path) -> io::Result<File> {
    let no_waiting = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    OpenOptions::new()
        .read(true)
        .custom_flags(no_waiting.bits().cast_signed())
        .open(path)
}
