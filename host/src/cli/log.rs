//! Logs of commands.

use config::HostSettings;
use daemon::logs;

/// Starts logging with these settings. Writes may block. Called once, before anything is logged.
pub fn start(settings: &HostSettings) {
    logs::start(settings.log_format(), settings.log_level());
}
