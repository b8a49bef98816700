//! The side of the serving process.

use crate::descriptors::{Lost, receive, send_blocking};
use crate::limits::{HELPER_REPLY_TIME, MAX_HELPER_LINE_BYTES};
use parking_lot::Mutex;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, absolute};
use std::sync::OnceLock;
use std::time::Instant;

/// The connection to the helper; `None` if it has ended.
static HELPER: OnceLock<Mutex<Option<UnixStream>>> = OnceLock::new();

/// Uses the process at the other end of this stream as the helper from now on.
pub fn ask(helper: UnixStream) {
    // Called once.
    let _ = HELPER.set(Mutex::new(Some(helper)));
}

/// Opens a file through the helper; `None` if there is no helper, or the file is not named.
pub fn open(path: &Path) -> io::Result<Option<File>> {
    let Some(helper) = HELPER.get() else {
        return Ok(None);
    };
    let path = absolute(path)?;
    let mut helper = helper.lock();
    let Some(stream) = &*helper else {
        return Err(gone());
    };
    let answer = ask_to_open(stream, &path);
    answer.unwrap_or_else(|error| {
        // The descriptor was lost, but the answer is complete: the stream is in step.
        if Lost::is_why(&error) {
            return Err(error);
        }
        // After a late or malformed answer, the stream is out of step.
        *helper = None;
        Err(gone())
    })
}

/// The error of a request without a helper.
pub fn gone() -> io::Error {
    io::Error::other("the helper of the sandbox (--sandbox) has ended; hint: restart the host")
}

/// Whether this process has a helper, or had one that has ended.
pub fn is_in_use() -> bool {
    HELPER.get().is_some()
}

/// Makes the helper start a process that compiles the component in this file and writes its outcome
/// to this stream.
pub fn start_compiler(component: OwnedFd, outcome: OwnedFd) -> io::Result<()> {
    let helper = HELPER.get().ok_or_else(gone)?;
    let mut helper = helper.lock();
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

/// An answer of the helper.
enum Answer {
    Opened,
    Unnamed,
    Started,
    Failed(io::Error),
}

/// The outer error is one of the connection.
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
