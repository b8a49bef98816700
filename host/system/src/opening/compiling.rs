//! Compiles components in separate processes, which the kernel ends at their limits.
//!
//! A confined host asks its helper to start such a process. Other programs start it as set with
//! [`compile_with`]: only the program knows how to run itself.

use super::client;
use crate::confinement::may_start_processes;
use crate::limits::{COMPILE_TIME, HELPER_REPLY_TIME, MAX_OUTCOME_BYTES};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::OnceLock;

/// The outcome of a process that compiled its component.
pub const COMPILED: &str = "compiled";

/// The prefix of the outcome of a refusal, followed by a space and the reason. Any other outcome
/// says how the process ended, such as `was ended by signal 9`.
pub const REFUSED: &str = "refused";
/// The same for a limit.
pub const OVER_A_LIMIT: &str = "over-a-limit";

/// Whether this is a complete outcome.
pub fn is_outcome(said: &str) -> bool {
    let beginning = said.split_once(' ').map(|(beginning, _)| beginning);
    said == COMPILED || matches!(beginning, Some(REFUSED | OVER_A_LIMIT))
}

/// Starts a process that compiles this file for the cache in this folder, waits for it, and returns
/// the outcome.
pub type Compile = fn(OwnedFd, Option<&Path>) -> io::Result<String>;

static COMPILE: OnceLock<Compile> = OnceLock::new();

/// Sets how this program starts a compiling process. Called once, at the start.
pub fn compile_with(compile: Compile) {
    let _ = COMPILE.set(compile);
}

/// Compiles `input` in a separate process for the cache in this folder, and returns the outcome.
/// `None` if this program has not set how. Blocks until the process has ended.
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

/// The helper knows the cache folder.
fn compile_by_helper(input: Vec<u8>) -> io::Result<String> {
    let (ours, theirs) = UnixStream::pair()?;
    // The helper times out first, and says so.
    ours.set_read_timeout(Some(COMPILE_TIME + HELPER_REPLY_TIME))?;
    client::start_compiler(holding(input)?, theirs.into())?;
    let mut outcome = String::new();
    (&ours)
        .take(MAX_OUTCOME_BYTES as u64)
        .read_to_string(&mut outcome)?;
    if outcome.is_empty() {
        Err(client::gone())
    } else {
        Ok(outcome)
    }
}

/// A file with these bytes, positioned at the start.
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

/// A stream with these bytes. Its thread ends when they are read, or nobody can read them.
#[cfg(not(target_os = "linux"))]
fn holding(bytes: Vec<u8>) -> io::Result<OwnedFd> {
    use std::io::Write;
    let (mut writer, reader) = UnixStream::pair()?;
    std::thread::Builder::new().spawn(move || writer.write_all(&bytes))?;
    Ok(reader.into())
}
