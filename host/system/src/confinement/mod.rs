//! What the host takes from itself before it meets anybody: should a guest ever break out of its sandbox, it finds
//! itself in a process that can do little more than serve.
//!
//! [`confine`] has the kernel deny this process what it does not need: files and networks by Landlock, calls of the
//! kernel by seccomp. Both hold for the calling thread and those that it starts, so it is called before there are
//! others, and both can't be undone. [`Identity::assume`] gives up being root.

mod access;
#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod capabilities;
mod error;
#[cfg(target_os = "linux")]
mod landlock;
#[cfg(target_os = "linux")]
mod seccomp;
mod user;

pub use access::Access;
pub use error::{ConfinementError, InvalidIdentity, UserError};
pub use user::Identity;

use choices::choices;
use std::fmt::Display;
use std::io;
use std::path::Path;
use std::sync::OnceLock;

choices! {
    /// Whether the process is confined.
    pub enum Sandbox {
        /// As far as the kernel can
        Auto = "auto",
        /// Completely, or the host does not start
        On = "on",
        /// Not at all
        Off = "off",
    }
}

/// What the kernel lets the process do with files, if it denies it the rest.
static CONFINED: OnceLock<Access> = OnceLock::new();
/// Set when the process can't change modes and owners of files any more, nor start processes.
static FILTERED: OnceLock<()> = OnceLock::new();

/// Lets this thread, and those it will start, do no more with files than `access` says, and nothing at all that no
/// server does.
pub fn confine(sandbox: Sandbox, access: Access) -> Result<(), ConfinementError> {
    // This costs nothing, in any case: no program gets more rights by being executed.
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_no_new_privs().map_err(ConfinementError::NoNewPrivileges)?;
    if sandbox == Sandbox::Off {
        return Ok(());
    }
    #[cfg(target_os = "linux")]
    capabilities::drop_most()?;
    for part in enforce(sandbox, access) {
        match part {
            Err(error) if sandbox == Sandbox::On => return Err(error),
            Err(error) => tracing::info!("{error}"),
            Ok(()) => {}
        }
    }
    Ok(())
}

/// Has the kernel end this process when the one that started it ends.
pub fn end_with_parent() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
    Ok(())
}

/// Elsewhere nobody is confined, and so nobody has a helper.
#[cfg(not(target_os = "linux"))]
pub fn confine_helper(_: Sandbox, _: &Access) -> Result<(), ConfinementError> {
    Ok(())
}

/// Lets the helper of a confined host read files, and run this very program; nothing else that `access` does not say.
#[cfg(target_os = "linux")]
pub fn confine_helper(sandbox: Sandbox, access: &Access) -> Result<(), ConfinementError> {
    nix::sys::prctl::set_no_new_privs().map_err(ConfinementError::NoNewPrivileges)?;
    let files = landlock::restrict_to_reading(access, sandbox == Sandbox::On);
    match (files, seccomp::restrict_helper()) {
        (Err(error), _) | (_, Err(error)) if sandbox == Sandbox::On => Err(error),
        _ => Ok(()),
    }
}

/// How each part went.
#[cfg(target_os = "linux")]
fn enforce(sandbox: Sandbox, access: Access) -> [Result<(), ConfinementError>; 2] {
    let files = landlock::restrict(&access, sandbox == Sandbox::On);
    if files.is_ok() {
        // It is called once; whoever calls it again is confined by both.
        let _ = CONFINED.set(access);
    }
    let calls = seccomp::restrict();
    if calls.is_ok() {
        let _ = FILTERED.set(());
    }
    [files, calls]
}

/// Elsewhere nobody expects what is not asked for.
#[cfg(not(target_os = "linux"))]
fn enforce(sandbox: Sandbox, _: Access) -> Option<Result<(), ConfinementError>> {
    (sandbox == Sandbox::On).then_some(Err(ConfinementError::OnlyLinux))
}

/// Why a file could not be read, in words that tell an operator what to do if it was the sandbox that said no.
pub fn why_unreadable(path: &Path, error: io::Error) -> io::Error {
    let Some(access) = CONFINED.get() else {
        return error;
    };
    if error.kind() != io::ErrorKind::PermissionDenied {
        return error;
    }
    let folder = access::folder_of(path);
    let folder = folder.display();
    let reason = match access.lets_read(path) {
        true => format!(
            "{error}; if {folder} was replaced since the start, the sandbox (--sandbox) keeps the new one out of reach: \
             restart the host"
        ),
        false => format!(
            "the sandbox (--sandbox) was set up at the start without {folder}: name it with --sandbox-read, or start the \
             host anew"
        ),
    };
    io::Error::new(error.kind(), reason)
}

/// Fails with the reason if the sandbox keeps guests out of this folder, which they are to read or to write to.
pub fn may_grant(folder: &Path, to_write: bool) -> io::Result<()> {
    let refuses = |access: &Access| match to_write {
        true => !access.lets_write(folder),
        false => !access.lets_read(folder),
    };
    refuse_if(refuses, &folder.display())
}

/// Fails with the reason if the sandbox keeps this process from connecting to a TCP port.
pub fn may_connect(port: u16) -> io::Result<()> {
    let refuses = |access: &Access| !access.lets_connect(port);
    refuse_if(refuses, &"connections to it")
}

/// Fails with the reason if the sandbox keeps this process from changing modes and owners of files.
pub fn may_change_files() -> io::Result<()> {
    refuse_if_filtered("lets no mode or owner of a file be changed")
}

/// Fails with the reason if the sandbox keeps this process from starting others.
pub fn may_start_processes() -> io::Result<()> {
    refuse_if_filtered("lets no process be started")
}

fn refuse_if_filtered(what: &str) -> io::Result<()> {
    match FILTERED.get() {
        None => Ok(()),
        Some(()) => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("the sandbox (--sandbox) {what} while the host runs: restart the host"),
        )),
    }
}

/// Fails with the reason if the sandbox keeps a socket from being made at this path.
pub fn may_bind(socket: &Path) -> io::Result<()> {
    let folder = access::folder_of(socket);
    refuse_if(|access| !access.lets_bind(&folder), &folder.display())
}

fn refuse_if(refuses: impl FnOnce(&Access) -> bool, what: &dyn Display) -> io::Result<()> {
    match CONFINED.get().is_some_and(refuses) {
        false => Ok(()),
        true => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!(
                "the sandbox (--sandbox) was set up at the start without {what}: start the host anew"
            ),
        )),
    }
}
