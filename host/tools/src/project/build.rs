//! Builds a handler in its folder.

use super::{FILE, Project};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

/// Why a build failed.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// There is no shell, or no standard error.
    #[error("cannot run `{command}`: {cause}")]
    Run {
        /// The command.
        command: String,
        /// The reason.
        cause: io::Error,
    },
    /// The command failed; its output is on standard error.
    #[error("`{command}` failed: {status}")]
    Failed {
        /// The command.
        command: String,
        /// Its exit status.
        status: ExitStatus,
    },
    /// The command did not create the output.
    #[error("`{command}` did not create {}, the output that {FILE} names", output.display())]
    NoOutput {
        /// The command.
        command: String,
        /// The missing output.
        output: PathBuf,
    },
}

impl Project {
    /// Builds the handler. Blocks until the build has ended. Its output goes to standard error,
    /// because standard output belongs to this program.
    pub fn build(&self) -> Result<(), BuildError> {
        let command = || self.build.clone();
        let run = |cause| BuildError::Run {
            command: command(),
            cause,
        };
        let status = Command::new("sh")
            .args(["-c", &self.build])
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(standard_error().map_err(run)?)
            .status()
            .map_err(run)?;
        if !status.success() {
            let command = command();
            return Err(BuildError::Failed { command, status });
        }
        if !self.output.is_file() {
            return Err(BuildError::NoOutput {
                command: command(),
                output: self.output.clone(),
            });
        }
        Ok(())
    }
}

fn standard_error() -> io::Result<OwnedFd> {
    io::stderr().as_fd().try_clone_to_owned()
}
