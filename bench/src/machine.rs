//! The machine and the versions that a run was made with.

use crate::place;
use crate::servers::Server;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

#[derive(Serialize, Deserialize)]
pub struct Machine {
    pub cpu_model: String,
    pub cores: usize,
    pub memory_mib: u64,
    pub kernel: String,
    /// In UTC, to the minute.
    pub date: String,
    /// By program.
    pub versions: BTreeMap<String, String>,
}

impl Machine {
    pub fn describe(servers: &[Server]) -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let memory_kib = field(&read("/proc/meminfo"), "MemTotal");
        let memory_kib = memory_kib.and_then(|it| it.split(' ').next()?.parse::<u64>().ok());
        let say = |(name, program, argument): (&str, PathBuf, &str)| {
            Some((
                name.to_owned(),
                first_line(Command::new(program).args(argument.split(' ')))?,
            ))
        };
        let own = [
            ("echo-host", place::built("echo-host"), "--version"),
            ("commit", "git".into(), "describe --always --dirty"),
            ("rustc", "rustc".into(), "--version"),
        ];
        let peers = servers.iter().filter_map(|server| {
            let (name, argument) = match server {
                Server::Asyncio => ("python", "--version"),
                Server::Uvloop => ("uvloop", "-m pip show uvloop"),
                Server::HaproxyLua => ("haproxy", "-v"),
                Server::NginxNjs => ("nginx", "-v"),
                Server::Socat => ("socat", "-V"),
                Server::Ncat => ("ncat", "--version"),
                _ => return None,
            };
            Some((name, server.program(), argument))
        });
        Machine {
            cpu_model: field(&read("/proc/cpuinfo"), "model name").unwrap_or("unknown".to_owned()),
            cores: thread::available_parallelism().map_or(1, usize::from),
            memory_mib: memory_kib.unwrap_or(0) / 1024,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            date: first_line(Command::new("date").args(["-u", "+%Y-%m-%d %H:%M"]))
                .unwrap_or_default(),
            versions: own.into_iter().chain(peers).filter_map(say).collect(),
        }
    }
}

/// What follows a name and a colon.
fn field(text: &str, name: &str) -> Option<String> {
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(key, _)| key.trim() == name)?;
    Some(value.trim().to_owned())
}

/// The first line with a number that a program prints. Some begin with their author, some print it
/// on stderr.
fn first_line(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed);
    let has_number = |line: &&str| line.contains(|it: char| it.is_ascii_digit());
    let mut lines = printed.lines().map(str::trim).filter(has_number);
    lines
        .find(|line| !line.contains("Copyright"))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_name() {
        let text = "processor\t: 0\nmodel name\t: Some CPU: 3 GHz\nMemTotal:   1024 kB\n";
        assert_eq!(
            field(text, "model name").as_deref(),
            Some("Some CPU: 3 GHz")
        );
        assert_eq!(field(text, "MemTotal").as_deref(), Some("1024 kB"));
        assert_eq!(field(text, "model"), None);
    }

    #[test]
    fn a_version_has_a_number() {
        let script = "echo A tool by somebody; echo tool 1.2 >&2";
        let version = first_line(Command::new("sh").args(["-c", script]));
        assert_eq!(version.as_deref(), Some("tool 1.2"));
        assert_eq!(first_line(&mut Command::new("/no/such/program")), None);
    }
}
