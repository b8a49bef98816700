//! The serving process's side.

use crate::descriptors::{Lost, receive, send_blocking};
use crate::limits::{HELPER_REPLY_TIME, MAX_HELPER_LINE_BYTES};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
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
    let answer = ask_to_open(stream, &path);
    answer.unwrap_or_else(|error| {
        // The file could not be taken in, but the answer is complete: the next one is that to the next question.
        if Lost::is_why(&error) {
            return Err(error);
        }
        // After an answer that is late or makes no sense it would be that to another one.
        *helper = None;
        Err(gone())
    })
}

/// The error of a request for which there is no helper any more.
pub fn gone() -> io::Error {
    io::Error::other("the helper of the sandbox (--sandbox) has ended: restart the host")
}

/// Whether this process has a helper, or had one that has ended.
pub fn is_in_use() -> bool {
    HELPER.get().is_some()
}

/// Has the helper start a process that compiles the component in this file, and write to this stream how it
/// ended.
pub fn start_compiler(component: OwnedFd, outcome: OwnedFd) -> io::Result<()> {
    let helper = HELPER.get().ok_or_else(gone)?;
    let mut helper = helper.lock().unwrap_or_else(PoisonError::into_inner);
    let stream = helper.as_ref().ok_or_else(gone)?;
    match request(stream, "compile", &[component, outcome]) {
        Ok((Answer::Started, None)) => Ok(()),
        Ok((Answer::Failed(error), None)) => Err(error),
        _ => {
            *helper = None;
            Err(gone())
        }
    }
}

/// What the helper says.
enum Answer {
    Opened,
    Unnamed,
    Started,
    Failed(io::Error),
}

/// The outer error is that of the connection.
fn ask_to_open(stream: &UnixStream, path: &Path) -> io::Result<io::Result<Option<File>>> {
    let path = path.as_os_str().as_bytes();
    let path: String = path.iter().map(|byte| format!("{byte:02x}")).collect();
    match request(stream, &format!("open {path}"), &[])? {
        (Answer::Opened, Some(file)) => Ok(Ok(Some(file.into()))),
        (Answer::Unnamed, None) => Ok(Ok(None)),
        (Answer::Failed(error), None) => Ok(Err(error)),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn request(
    stream: &UnixStream,
    line: &str,
    passed: &[OwnedFd],
) -> io::Result<(Answer, Option<OwnedFd>)> {
    stream.set_write_timeout(Some(HELPER_REPLY_TIME))?;
    send_blocking(stream, format!("{line}\n").as_bytes(), passed)?;
    let deadline = Instant::now() + HELPER_REPLY_TIME;
    let (line, passed) = receive(stream, MAX_HELPER_LINE_BYTES, deadline)?;
    let line = String::from_utf8_lossy(&line);
    let mut words = line.split_ascii_whitespace();
    let answer = match (words.next(), words.next().map(str::parse)) {
        (Some("opened"), None) => Answer::Opened,
        (Some("unnamed"), None) => Answer::Unnamed,
        (Some("started"), None) => Answer::Started,
        (Some("failed"), Some(Ok(code))) => Answer::Failed(io::Error::from_raw_os_error(code)),
        _ => return Err(io::ErrorKind::InvalidData.into()),
    };
    Ok((answer, passed.into_iter().next()))
}
