//! Options from environment variables: which count as given, how they hold lists, and which values
//! are never shown.

use clap::Command;
use clap::builder::Resettable;
use config::options::Listed;
use std::env;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Makes a command ignore empty variables, and hide values of variables in its help: some are
/// secret.
pub fn prepare(command: Command) -> Command {
    let command = command.mut_args(|arg| {
        let value = arg.get_env().and_then(env::var_os);
        let arg = arg.hide_env_values(true);
        if value.is_some_and(|value| is_blank(value.as_bytes())) {
            arg.env(Resettable::Reset)
        } else {
            arg
        }
    });
    command.mut_subcommands(prepare)
}

/// The items in an option or a variable.
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
