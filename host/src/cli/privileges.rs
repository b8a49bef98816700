//! Options of privileges.

use super::guest::said;
use super::variables::{Items, lines};
use clap::builder::PathBufValueParser;
use clap::{Args, ValueEnum};
use daemon::config::HostSettings;
use std::path::PathBuf;
use system::confinement::{Identity, Sandbox};

#[derive(Debug, Args)]
#[command(next_help_heading = "Privileges")]
pub struct PrivilegeArgs {
    /// Become this user, by name or number, as soon as the listeners are bound; for a host that root starts
    #[arg(long, value_name = "USER[:GROUP]", env = "ECHO_HOST_USER")]
    user: Option<Identity>,
    /// Whether the process itself is confined: to the files that it was told about, and to what servers do (Linux)
    /// [default: auto]
    #[arg(long, value_name = "WHEN", value_enum, env = "ECHO_HOST_SANDBOX")]
    sandbox: Option<SandboxArg>,
    /// A folder that may be read all the same, for handlers, certificates and configuration to come (repeatable; in the
    /// variable, one a line)
    #[arg(
        long,
        value_name = "DIR",
        value_parser = lines(PathBufValueParser::new()),
        env = "ECHO_HOST_SANDBOX_READ"
    )]
    sandbox_read: Vec<Items<PathBuf>>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SandboxArg {
    /// As far as the kernel can
    Auto,
    /// Wholly, or the host does not start
    On,
    /// Not at all
    Off,
}

impl PrivilegeArgs {
    /// What was said about the host.
    pub fn settings(&self) -> HostSettings {
        HostSettings {
            user: self.user.clone(),
            sandbox: self.sandbox.map(|sandbox| match sandbox {
                SandboxArg::Auto => Sandbox::Auto,
                SandboxArg::On => Sandbox::On,
                SandboxArg::Off => Sandbox::Off,
            }),
            sandbox_read: said(&self.sandbox_read),
            ..HostSettings::default()
        }
    }
}
