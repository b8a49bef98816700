//! The process that opens files for a confined host: this program once more, told what the host was told.

use crate::config::HostConfig;
use connection::address::Endpoint;
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

/// What makes this program the helper, as its first argument. It is no command: it works for a host only.
pub const NAME: &str = "helper-of-a-host";

/// A helper that was started.
pub struct Helper {
    child: Child,
}

/// Starts the helper of a host that was told these options, if it is going to be confined. Without one the host opens
/// files by itself, in the folders that they were in when it started.
pub fn start(config: &HostConfig, options: &[OsString]) -> Option<Helper> {
    let mut listeners = config.services.iter().flat_map(|it| &it.listen);
    // A host for one client, as under inetd, reads its files once.
    let is_for_one = listeners.any(|listener| listener.uri == Endpoint::Stdio);
    if config.sandbox == Sandbox::Off || is_for_one || !cfg!(target_os = "linux") {
        return None;
    }
    try_start(options)
        .inspect_err(|error| {
            tracing::warn!(
                "no helper can be started: files in folders that are replaced can't be read, and no other handlers be \
                 compiled (--sandbox): {error}"
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
        // It writes nothing there: that it is closed tells that the helper has ended.
        .stdout(Stdio::piped())
        .spawn()?;
    opening::ask(ours);
    Ok(Helper { child })
}

impl Helper {
    /// Says so if it ends before the host does. Must be called within a tokio runtime.
    pub fn watch(mut self) -> io::Result<AbortOnDropHandle<()>> {
        let stdout = self.child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut stdout = Receiver::from_owned_fd(stdout.into())?;
        let watching = async move {
            let _ = stdout.read_u8().await;
            let how = self.child.wait();
            let how = how.map_or_else(|error| error.to_string(), |status| status.to_string());
            tracing::error!(
                "the helper that opens files has ended ({how}): handlers, certificates and the configuration can't be \
                 read again, and no other handlers be compiled, until the host is restarted"
            );
        };
        Ok(AbortOnDropHandle::new(tokio::spawn(watching)))
    }
}
