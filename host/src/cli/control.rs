//! What `serve` is told about the control socket, and how commands find it.

use clap::Args;
use clap::builder::BoolishValueParser;
use clap::error::ErrorKind;
use daemon::config::Place;
use daemon::control::find;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(next_help_heading = "Control")]
pub struct ControlArgs {
    /// Do not create a control socket
    #[arg(long, value_parser = BoolishValueParser::new(), env = "ECHO_HOST_NO_CONTROL")]
    pub no_control: bool,
    /// Take the listening sockets over from the host at --control, or from the only one that runs. That host drains.
    /// --listen has no effect then
    #[arg(long)]
    takeover: bool,
}

impl ControlArgs {
    /// Whether the listening sockets of another host are to be taken over. Exits by itself if there is to be no control
    /// socket: clap's own check goes by presence, and the variable may be there to say no.
    pub fn takes_over(&self, place: Option<&Place>) -> bool {
        if self.takeover && place == Some(&Place::Off) {
            let why = "--takeover needs a control socket: leave --no-control away\n";
            clap::Error::raw(ErrorKind::ArgumentConflict, why).exit();
        }
        self.takeover
    }
}

/// The host that a command is meant for.
#[derive(Debug, Args)]
pub struct HostArg {
    /// The control socket of the host [default: that of the only host that runs]
    #[arg(long, value_name = "PATH", env = "ECHO_HOST_CONTROL")]
    control: Option<PathBuf>,
}

impl HostArg {
    /// The control socket that was named, or that of the only host that runs.
    pub fn path(&self) -> anyhow::Result<PathBuf> {
        match &self.control {
            Some(path) => Ok(path.clone()),
            None => Ok(find()?),
        }
    }
}
