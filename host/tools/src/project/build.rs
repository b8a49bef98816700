//! Building a handler in its folder.

use super::{FILE, Project};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

/// Why there is no new component.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// There is no shell, or no standard error.
    #[error("cannot run `{command}`: {cause}")]
    Run {
        /// What was to be run.
        command: String,
        /// Why it was not.
        cause: io::Error,
    },
    /// What the command says about it is on standard error.
    #[error("`{command}` failed: {status}")]
    Failed {
        /// What was run.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// It left something else.
    #[error("`{command}` leaves no {}: {FILE} names it as its output", output.display())]
    NoOutput {
        /// What was run.
        command: String,
        /// What is not there.
        output: PathBuf,
    },
}

impl Project {
    /// Builds the handler. Blocks until the build has ended. What it prints goes to standard error, as standard output is
    /// for what this program's user asked for.
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
