//! Options that are given by variables of the environment: which count as given, and how lists are written in one.

use clap::Command;
use clap::builder::Resettable;
use daemon::config::options::Listed;
use std::env;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// A command for which a blank variable is as good as none, and whose help shows no variable's value: some are secret.
pub fn prepare(command: Command) -> Command {
    let command = command.mut_args(|arg| {
        let value = arg.get_env().and_then(env::var_os);
        let arg = arg.hide_env_values(true);
        match value.is_some_and(|value| is_blank(value.as_bytes())) {
            true => arg.env(Resettable::Reset),
            false => arg,
        }
    });
    command.mut_subcommands(prepare)
}

/// The items that one option, or one variable, says.
pub fn items(value: &OsStr, listed: Listed, is_variable: bool) -> Vec<&OsStr> {
    let whole = value.as_bytes();
    let is_list = is_variable || listed == Listed::CommasEverywhere && !is_blank(whole);
    if !is_list {
        return vec![value];
    }
    let separator = match listed {
        Listed::Lines => b'\n',
        Listed::Commas | Listed::CommasEverywhere => b',',
    };
    let items = whole.split(|byte| *byte == separator);
    let items = items.filter(|item| !is_blank(item));
    items.map(OsStr::from_bytes).collect()
}

fn is_blank(value: &[u8]) -> bool {
    value.trim_ascii().is_empty()
}
