//! The process that opens files for a confined host: this program again, with the host's options.

use config::HostConfig;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use system::confinement::Sandbox;
use system::opening;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio_util::task::AbortOnDropHandle;

/// The first argument that makes this program the helper. Not a command for users.
pub const NAME: &str = "helper-of-a-host";

/// A running helper.
pub struct Helper {
    child: Child,
}

/// Starts the helper of a host with these options, if it will be confined. Without a helper, the
/// host opens files itself, in the folders that it had at its start.
pub fn start(config: &HostConfig, options: &[OsString]) -> Option<Helper> {
    // A host for one client, as under inetd, reads its files once.
    if config.sandbox == Sandbox::Off || config.serves_stdio() || !cfg!(target_os = "linux") {
        return None;
    }
    try_start(options)
        .inspect_err(|error| {
            tracing::warn!(
                "cannot start the helper (--sandbox): {error}; files in replaced folders cannot \
                 be read and new handlers cannot be compiled"
            );
        })
        .ok()
}

fn try_start(options: &[OsString]) -> io::Result<Helper> {
    let (ours, theirs) = UnixStream::pair()?;
    let child = Command::new("/proc/self/exe")
        .arg0("echo-host")
        .arg(NAME)
        .args(options)
        .env_remove("NOTIFY_SOCKET")
        .stdin(OwnedFd::from(theirs))
        // It writes nothing; the pipe closes when the helper ends.
        .stdout(Stdio::piped())
        .spawn()?;
    opening::ask(ours);
    Ok(Helper { child })
}

impl Helper {
    /// Logs if it ends before the host. Must be called in a tokio runtime.
    pub fn watch(mut self) -> io::Result<AbortOnDropHandle<()>> {
        let stdout = self.child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut stdout = Receiver::from_owned_fd(stdout.into())?;
        let watching = async move {
            let _ = stdout.read_u8().await;
            let how = self.child.wait();
            let how = how.map_or_else(|error| error.to_string(), |status| status.to_string());
            tracing::error!(
                "the helper that opens files ended ({how}): handlers, certificates and the \
                 configuration cannot be reloaded, and new handlers cannot be compiled; hint: \
                 restart the host"
            );
        };
        Ok(AbortOnDropHandle::new(tokio::spawn(watching)))
    }
}
