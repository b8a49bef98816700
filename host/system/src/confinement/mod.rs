//! Confines the host before it serves: if a guest ever breaks out of its sandbox, it finds a
//! process that can do little more than serve.
//!
//! [`confine`] makes the kernel deny what the process does not need: files and networks with
//! Landlock, system calls with seccomp. Both apply to the calling thread and those it starts, so it
//! must run before there are others; neither can be undone. [`Identity::assume`] gives up root.

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

/// The allowed access, once the process is confined.
static CONFINED: OnceLock<Access> = OnceLock::new();
/// Set when the process can no longer change modes and owners of files, or start processes.
static FILTERED: OnceLock<()> = OnceLock::new();

/// Limits this thread and those it will start to `access`, and to the system calls of a server.
pub fn confine(sandbox: Sandbox, access: Access) -> Result<(), ConfinementError> {
    // Always, because it costs nothing: no executed program gains rights.
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

/// Makes the kernel end this process when its parent ends.
pub fn end_with_parent() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
    Ok(())
}

/// Elsewhere there is no confinement, and so no helper.
#[cfg(not(target_os = "linux"))]
pub fn confine_helper(_: Sandbox, _: &Access) -> Result<(), ConfinementError> {
    Ok(())
}

/// Limits the helper of a confined host to reading files, running this program, and `access`.
#[cfg(target_os = "linux")]
pub fn confine_helper(sandbox: Sandbox, access: &Access) -> Result<(), ConfinementError> {
    nix::sys::prctl::set_no_new_privs().map_err(ConfinementError::NoNewPrivileges)?;
    let files = landlock::restrict_to_reading(access, sandbox == Sandbox::On);
    match (files, seccomp::restrict_helper()) {
        (Err(error), _) | (_, Err(error)) if sandbox == Sandbox::On => Err(error),
        _ => Ok(()),
    }
}

/// The result of each part.
#[cfg(target_os = "linux")]
fn enforce(sandbox: Sandbox, access: Access) -> [Result<(), ConfinementError>; 2] {
    let files = landlock::restrict(&access, sandbox == Sandbox::On);
    let scans = access.scans;
    if files.is_ok() {
        // Called once; a second call would add restrictions.
        let _ = CONFINED.set(access);
    }
    let calls = seccomp::restrict(scans);
    if calls.is_ok() {
        let _ = FILTERED.set(());
    }
    [files, calls]
}

/// Elsewhere, only an explicit request is an error.
#[cfg(not(target_os = "linux"))]
fn enforce(sandbox: Sandbox, _: Access) -> Option<Result<(), ConfinementError>> {
    (sandbox == Sandbox::On).then_some(Err(ConfinementError::OnlyLinux))
}

/// The reason why a file could not be read, with a hint if the sandbox denied it.
pub fn why_unreadable(path: &Path, error: io::Error) -> io::Error {
    let Some(access) = CONFINED.get() else {
        return error;
    };
    if error.kind() != io::ErrorKind::PermissionDenied {
        return error;
    }
    let folder = access::folder_of(path);
    let folder = folder.display();
    let reason = if access.lets_read(path) {
        format!(
            "{error}; if {folder} was replaced since the start, the sandbox (--sandbox) blocks \
         the new one; hint: restart the host"
        )
    } else {
        format!(
            "the sandbox (--sandbox) was set up without {folder}; hint: name it with \
         --sandbox-read, or restart the host"
        )
    };
    io::Error::new(error.kind(), reason)
}

/// Fails if the sandbox denies guests this folder.
pub fn may_grant(folder: &Path, to_write: bool) -> io::Result<()> {
    let refuses = |access: &Access| {
        if to_write {
            !access.lets_write(folder)
        } else {
            !access.lets_read(folder)
        }
    };
    refuse_if(refuses, &folder.display())
}

/// Fails if the sandbox denies connecting to a TCP port.
pub fn may_connect(port: u16) -> io::Result<()> {
    let refuses = |access: &Access| !access.lets_connect(port);
    refuse_if(refuses, &"connections to this port")
}

/// Fails if the sandbox denies changing modes and owners of files.
pub fn may_change_files() -> io::Result<()> {
    refuse_if_filtered("does not allow changing the mode or owner of a file")
}

/// Fails if the sandbox denies starting processes.
pub fn may_start_processes() -> io::Result<()> {
    refuse_if_filtered("does not allow starting processes")
}

fn refuse_if_filtered(what: &str) -> io::Result<()> {
    match FILTERED.get() {
        None => Ok(()),
        Some(()) => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("the sandbox (--sandbox) {what} while the host runs; hint: restart the host"),
        )),
    }
}

/// Fails if the sandbox denies creating a socket at this path.
pub fn may_bind(socket: &Path) -> io::Result<()> {
    let folder = access::folder_of(socket);
    refuse_if(|access| !access.lets_bind(&folder), &folder.display())
}

fn refuse_if(refuses: impl FnOnce(&Access) -> bool, what: &dyn Display) -> io::Result<()> {
    if !CONFINED.get().is_some_and(refuses) {
        Ok(())
    } else {
        Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("the sandbox (--sandbox) was set up without {what}; hint: restart the host"),
        ))
    }
}
