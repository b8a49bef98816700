//! Opens the files that the host reads while it serves: its configuration, handlers, keys and certificates, probes.
//!
//! A confined process can't open them. It asks a [`helper`], a process that was started before the sandbox closed, that
//! knows which files options and the configuration name, and that passes them on opened. So a file is found wherever
//! its name leads at that moment, and whoever takes over the serving process gets no other file.
//!
//! The helper also starts the processes that compile handlers, see [`compile`].

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
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Opens a file to read it, by way of the helper if there is one. One that is a pipe keeps nobody waiting for what may
/// come out of it. Blocks.
pub fn open(path: &Path) -> io::Result<File> {
    match client::open(path)? {
        Some(file) => Ok(file),
        None => open_here(path).map_err(|error| why_unreadable(path, error)),
    }
}

/// What a file of settings, keys or certificates holds, which is not long. Blocks.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = MAX_NAMED_FILE_BYTES as u64;
    open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    match bytes.len() > MAX_NAMED_FILE_BYTES {
        true => Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than {MAX_NAMED_FILE_BYTES} bytes"),
        )),
        false => Ok(bytes),
    }
}

/// The text that such a file holds. Blocks.
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
