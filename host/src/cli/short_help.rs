//! `serve -h`: the options that most people need, on one screen. `--help` has all of them.

use clap::Command;

/// The options that it shows.
const SHOWN: [&str; 10] = [
    "listen",
    "framing",
    "isolation",
    "config",
    "max-connections",
    "max-message",
    "tls-cert",
    "tls-key",
    "watch",
    "log-level",
];

/// What stands in the help of an option that may be repeated.
const REPEATABLE: &str = " (repeatable";

/// Hides all other options, and what takes room.
pub fn shorten(serve: Command) -> Command {
    let is_shown = |id: &str| SHOWN.contains(&id) || id == "HANDLER";
    let hidden = serve.get_arguments().map(|arg| arg.get_id().as_str());
    let hidden = hidden.filter(|id| !is_shown(id)).count();
    let serve = serve.mut_args(|arg| {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let short = match help.split_once(REPEATABLE) {
            Some((before, after)) => {
                let rest = after.split_once(')').map_or("", |(_, rest)| rest);
                format!("{before}{rest}")
            }
            None => help,
        };
        let is_hidden = !is_shown(arg.get_id().as_str());
        arg.help(short)
            .help_heading(None)
            .hide_env(true)
            .hide_possible_values(true)
            .hide(is_hidden)
    });
    serve.after_help(format!(
        "\
{hidden} more options, by topic, and examples: echo-host serve --help
Each is also a variable (ECHO_HOST_LISTEN) and a key of a configuration file (listen).
Demos to serve: echo-host demos"
    ))
}
