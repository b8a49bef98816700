//! Has components compiled by processes of their own, which the kernel ends if that takes too much.
//!
//! A confined host asks its helper to start such a process. Any other program starts it itself, in the way
//! that it has set with [`compile_with`]: only the program knows how to run itself.

use super::client;
use crate::confinement::may_start_processes;
use crate::limits::{COMPILE_TIME, HELPER_REPLY_TIME, MAX_OUTCOME_BYTES};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::OnceLock;

/// The outcome of a process that has compiled what it was given.
pub const COMPILED: &str = "compiled";

/// How the outcome of a process begins that has refused to compile it. The reason follows behind a space. Any other
/// outcome says how the process ended, as in `was ended by signal 9`.
pub const REFUSED: &str = "refused";
/// The same where a limit is the reason.
pub const OVER_A_LIMIT: &str = "over-a-limit";

/// Whether a process has said all that there is to say.
pub fn is_outcome(said: &str) -> bool {
    let beginning = said.split_once(' ').map(|(beginning, _)| beginning);
    said == COMPILED || matches!(beginning, Some(REFUSED | OVER_A_LIMIT))
}

/// Starts a process that compiles what this file holds for the cache in this folder, waits for its end, and
/// returns the outcome.
pub type Compile = fn(OwnedFd, Option<&Path>) -> io::Result<String>;

static COMPILE: OnceLock<Compile> = OnceLock::new();

/// Sets how this program compiles in a process of its own. Called once, when it starts.
pub fn compile_with(compile: Compile) {
    let _ = COMPILE.set(compile);
}

/// Has a process of its own compile `input` for the cache in this folder, and returns the outcome. `None` if
/// this program has not set how. Blocks until the process has ended.
pub fn compile(input: Vec<u8>, cache: Option<&Path>) -> io::Result<Option<String>> {
    if client::is_in_use() {
        return compile_by_helper(input).map(Some);
    }
    let Some(compile) = COMPILE.get() else {
        return Ok(None);
    };
    may_start_processes()?;
    compile(holding(input)?, cache).map(Some)
}

/// The helper knows the folder of the cache.
fn compile_by_helper(input: Vec<u8>) -> io::Result<String> {
    let (ours, theirs) = UnixStream::pair()?;
    // The helper gives up first, and says so.
    ours.set_read_timeout(Some(COMPILE_TIME + HELPER_REPLY_TIME))?;
    client::start_compiler(holding(input)?, theirs.into())?;
    let mut outcome = String::new();
    (&ours)
        .take(MAX_OUTCOME_BYTES as u64)
        .read_to_string(&mut outcome)?;
    match outcome.is_empty() {
        true => Err(client::gone()),
        false => Ok(outcome),
    }
}

/// A file that holds these bytes, to be read from its beginning.
#[cfg(target_os = "linux")]
fn holding(bytes: Vec<u8>) -> io::Result<OwnedFd> {
    use rustix::fs::{MemfdFlags, memfd_create};
    use std::fs::File;
    use std::io::{Seek, Write};
    let mut file = File::from(memfd_create("component", MemfdFlags::CLOEXEC)?);
    file.write_all(&bytes)?;
    file.rewind()?;
    Ok(file.into())
}

/// A stream that these bytes come from. Its thread ends when they were read, or when nobody can read them any
/// more.
#[cfg(not(target_os = "linux"))]
fn holding(bytes: Vec<u8>) -> io::Result<OwnedFd> {
    use std::io::Write;
    let (mut writer, reader) = UnixStream::pair()?;
    std::thread::Builder::new().spawn(move || writer.write_all(&bytes))?;
    Ok(reader.into())
}
