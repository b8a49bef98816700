//! Logs of commands.

use daemon::config::HostSettings;
use daemon::logs;

/// Starts logging as was asked for, for a command that may wait for whoever reads it. Called once,
/// before anything is logged.
pub fn start(settings: &HostSettings) {
    logs::start(settings.log_format(), settings.log_level());
}
