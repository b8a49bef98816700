//! The serving process's side.

use crate::descriptors::{receive, send_blocking};
use crate::limits::{HELPER_REPLY_TIME, MAX_HELPER_LINE_BYTES};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, absolute};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

/// The connection to the helper; none if it has ended.
static HELPER: OnceLock<Mutex<Option<UnixStream>>> = OnceLock::new();

/// Has files opened by the process at the other end of this stream from now on.
pub fn ask(helper: UnixStream) {
    // It is called once.
    let _ = HELPER.set(Mutex::new(Some(helper)));
}

/// Has a file opened; `None` if there is no helper, or if nobody has named this file.
pub fn open(path: &Path) -> io::Result<Option<File>> {
    let Some(helper) = HELPER.get() else {
        return Ok(None);
    };
    let path = absolute(path)?;
    let mut helper = helper.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(stream) = &*helper else {
        return Err(gone());
    };
    let answer = request(stream, &path);
    // After an answer that is late or makes no sense the next one would be that to another question.
    answer.unwrap_or_else(|_| {
        *helper = None;
        Err(gone())
    })
}

fn gone() -> io::Error {
    io::Error::other(
        "the helper that opens files for the sandbox (--sandbox) has ended: restart the host",
    )
}

/// The outer error is that of the connection.
fn request(stream: &UnixStream, path: &Path) -> io::Result<io::Result<Option<File>>> {
    let path = path.as_os_str().as_bytes();
    let path: String = path.iter().map(|byte| format!("{byte:02x}")).collect();
    stream.set_write_timeout(Some(HELPER_REPLY_TIME))?;
    send_blocking(stream, format!("open {path}\n").as_bytes(), &[])?;
    let deadline = Instant::now() + HELPER_REPLY_TIME;
    let (line, passed) = receive(stream, MAX_HELPER_LINE_BYTES, deadline)?;
    let line = String::from_utf8_lossy(&line);
    let mut words = line.split_ascii_whitespace();
    match (words.next(), words.next(), passed.into_iter().next()) {
        (Some("opened"), None, Some(file)) => Ok(Ok(Some(file.into()))),
        (Some("unnamed"), None, None) => Ok(Ok(None)),
        (Some("failed"), Some(code), None) => match code.parse() {
            Ok(code) => Ok(Err(io::Error::from_raw_os_error(code))),
            Err(_) => Err(io::ErrorKind::InvalidData.into()),
        },
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}
