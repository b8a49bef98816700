//! Builds a handler in its folder.

use super::{FILE, Project};
use crate::doctor::{Machine, Missing, for_build, for_command};
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
    #[error("`{command}` failed: {status}{}", .missing.as_ref().map_or_else(String::new, |it| format!("; {it}")))]
    Failed {
        /// The command.
        command: String,
        /// Its exit status.
        status: ExitStatus,
        /// Tools that the build needs and this machine lacks.
        missing: Option<Missing>,
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
            return Err(BuildError::Failed {
                command: command(),
                status,
                missing: self.missing(&Machine::seen_from(&self.folder)),
            });
        }
        if !self.output.is_file() {
            return Err(BuildError::NoOutput {
                command: command(),
                output: self.output.clone(),
            });
        }
        Ok(())
    }

    /// Tools that the build needs and this machine lacks. If the folder says no language, only
    /// those that the build command itself names.
    pub fn missing(&self, machine: &Machine) -> Option<Missing> {
        match self.language {
            // Without a contract there are no bindings to generate.
            Some(language) => {
                let has_contract = self.folder.join("wit").is_dir();
                Missing::of(machine, for_build(language, has_contract))
            }
            None => Missing::of(machine, for_command(&self.build)),
        }
    }
}

fn standard_error() -> io::Result<OwnedFd> {
    io::stderr().as_fd().try_clone_to_owned()
}
