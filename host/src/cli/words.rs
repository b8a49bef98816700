//! What shells complete with names that a running host knows.

use super::control::HostArg;
use super::output;
use clap_complete::Shell;
use config::ServiceName;
use daemon::control::{Reply, Request, Status, request};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

/// The first argument that prints such names. It is no command: it is for scripts of shells.
pub const NAME: &str = "words-of-host";

const BASH: &str = r#"
_echo-host-of-host() {
    local prev="${COMP_WORDS[COMP_CWORD-1]}"
    case "$prev" in
        --service|--generation)
            local found="$("${COMP_WORDS[0]}" words-of-host "$prev" "${COMP_WORDS[@]}" 2>/dev/null)"
            COMPREPLY=( $(compgen -W "$found" -- "${COMP_WORDS[COMP_CWORD]}") ) ;;
        *) _echo-host "$@" ;;
    esac
}

if [[ "${BASH_VERSINFO"#;

const ZSH: &str = r#"
_echo-host-of-host() {
    local -a found
    found=(${(f)"$(command echo-host words-of-host $1 $words 2>/dev/null)"})
    compadd -a found
}
"#;

const FISH: &str = r#"
for option in service generation
    for command in swap connections disconnect tap profile
        complete -c echo-host -n "__fish_echo_host_using_subcommand $command" -l $option -x \
            -a "(echo-host words-of-host --$option (commandline -opc) 2>/dev/null)"
    end
end
"#;

/// Makes a script for a shell complete these names as well.
pub fn complete(shell: Shell, script: &str) -> String {
    match shell {
        Shell::Bash => script.replace("\nif [[ \"${BASH_VERSINFO", BASH).replace(
            "complete -F _echo-host -o",
            "complete -F _echo-host-of-host -o",
        ),
        Shell::Zsh => {
            let script: String = script.split_inclusive('\n').map(of_zsh).collect();
            script.replacen('\n', ZSH, 1)
        }
        Shell::Fish => script.to_owned() + FISH,
        _ => script.to_owned(),
    }
}

/// A line about an option, with names of the host if it takes some.
fn of_zsh(line: &str) -> String {
    let mut options = ["--service", "--generation"].into_iter();
    let option = options.find(|it| line.starts_with(&format!("'{it}=")));
    match (option, line.rsplit_once(":_default")) {
        (Some(option), Some((begin, end))) => format!("{begin}: _echo-host-of-host {option}{end}"),
        _ => line.to_owned(),
    }
}

/// Prints the names for an option of a command line, one a line. Says nothing of errors, which
/// would stand in that line.
pub fn run(args: &[OsString]) -> anyhow::Result<()> {
    let Some((option, line)) = args.split_first() else {
        return Ok(());
    };
    let host = HostArg::named(value("--control", line).map(PathBuf::from));
    let asked = host
        .path()
        .and_then(|path| Ok(request(&path, &Request::Status, &[])?));
    let Ok(Reply::Status(status)) = asked else {
        return Ok(());
    };
    let names = match option.to_str() {
        Some("--service") => services(&status),
        Some("--generation") => generations(&status, value("--service", line)),
        _ => Vec::new(),
    };
    output::print(names.concat(), "the names")
}

/// The value of an option in a command line.
fn value<'a>(option: &str, line: &'a [OsString]) -> Option<&'a OsString> {
    let at = line.iter().position(|word| word == option)?;
    line.get(at + 1)
}

/// The names of the services. A shell evaluates words, so only what can be a name is one.
fn services(status: &Status) -> Vec<String> {
    let names = status.services.iter().map(|service| &service.name);
    let names = names.filter(|name| name.parse::<ServiceName>().is_ok());
    names.map(|name| format!("{name}\n")).collect()
}

/// The numbers of the generations of a service, or of all, that can be current.
fn generations(status: &Status, service: Option<&OsString>) -> Vec<String> {
    let kept = status.versions.iter().filter(|it| it.kept);
    let wanted = kept.filter(|it| service.is_none_or(|name| *name == *it.service.as_str()));
    let numbers: BTreeSet<_> = wanted.map(|it| it.number).collect();
    numbers.iter().map(|number| format!("{number}\n")).collect()
}
