//! Options of the control socket, for `serve` and for commands that connect to it.

use clap::Args;
use clap::builder::BoolishValueParser;
use clap::error::ErrorKind;
use config::OptionalPath;
use daemon::control::find;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(next_help_heading = "Control")]
pub struct ControlArgs {
    /// Do not create a control socket
    #[arg(long, value_parser = BoolishValueParser::new(), env = "ECHO_HOST_NO_CONTROL")]
    pub no_control: bool,
    /// Take over the sockets of the host that --control names, or of the only running one
    #[arg(long)]
    takeover: bool,
}

impl ControlArgs {
    /// Whether to take over the listening sockets of another host. Exits if there is no control
    /// socket: clap only checks presence, and the variable may be present and say no.
    pub fn takes_over(&self, path: Option<&OptionalPath>) -> bool {
        if self.takeover && path == Some(&OptionalPath::Off) {
            let why = "--takeover needs a control socket: omit --no-control\n";
            clap::Error::raw(ErrorKind::ArgumentConflict, why).exit();
        }
        self.takeover
    }
}

/// The host that a command talks to.
#[derive(Debug, Args)]
pub struct HostArg {
    /// Control socket of the host [default: that of the only running host]
    #[arg(long, value_name = "PATH", env = "ECHO_HOST_CONTROL")]
    control: Option<PathBuf>,
}

impl HostArg {
    /// The host with this control socket, or else that of the variable.
    pub fn named(control: Option<PathBuf>) -> Self {
        let variable = || std::env::var_os("ECHO_HOST_CONTROL").map(PathBuf::from);
        HostArg {
            control: control.or_else(variable),
        }
    }

    /// The named control socket, or that of the only running host.
    pub fn path(&self) -> anyhow::Result<PathBuf> {
        match &self.control {
            Some(path) => Ok(path.clone()),
            None => Ok(find()?),
        }
    }
}
