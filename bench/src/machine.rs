//! What a run was made on, and with.

use crate::place::Place;
use crate::servers::Server;
use rustix::system::uname;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;

/// The machine, the date and the versions of everything.
#[derive(Clone, Debug, Serialize)]
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
    pub fn describe(place: &Place, servers: &[Server]) -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let memory_kib: Option<u64> = field(&read("/proc/meminfo"), "MemTotal")
            .and_then(|it| it.split(' ').next()?.parse().ok());
        let kernel = uname();
        let mut versions = BTreeMap::new();
        for (name, command) in programs(place, servers) {
            if let Some(version) = first_line(command) {
                versions.insert(name.to_owned(), version);
            }
        }
        Machine {
            cpu_model: field(&read("/proc/cpuinfo"), "model name").unwrap_or("unknown".to_owned()),
            cores: thread::available_parallelism().map_or(1, usize::from),
            memory_mib: memory_kib.unwrap_or(0) / 1024,
            kernel: kernel.release().to_string_lossy().into_owned(),
            date: first_line(with("date", &["-u", "+%Y-%m-%d %H:%M"])).unwrap_or_default(),
            versions,
        }
    }
}

/// What follows a name and a colon.
fn field(text: &str, name: &str) -> Option<String> {
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(key, _)| key.trim() == name)?;
    Some(value.trim().to_owned())
}

/// The programs that were run, and how each is asked for its version.
fn programs(place: &Place, servers: &[Server]) -> Vec<(&'static str, Command)> {
    let host = place.built("echo-host");
    let mut programs = vec![
        ("echo-host", with(host, &["--version"])),
        ("commit", with("git", &["describe", "--always", "--dirty"])),
        ("rustc", with("rustc", &["--version"])),
    ];
    for server in servers {
        programs.push(match server {
            Server::Asyncio => ("python", with(place.program("python3"), &["--version"])),
            Server::Uvloop => {
                let question = "import uvloop; print(uvloop.__version__)";
                ("uvloop", with(place.uvloop_python(), &["-c", question]))
            }
            Server::HaproxyLua => ("haproxy", with(place.program("haproxy"), &["-v"])),
            Server::NginxNjs => ("nginx", with(place.program("nginx"), &["-v"])),
            Server::Socat => ("socat", with(place.program("socat"), &["-V"])),
            Server::Ncat => ("ncat", with(place.program("ncat"), &["--version"])),
            _ => continue,
        });
    }
    programs
}

fn with(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// The first line with a number in it, of what a program says: some begin with their author, some say it on
/// standard error.
fn first_line(mut command: Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    let mut lines = said.lines().map(str::trim);
    lines
        .find(|line| {
            line.contains(|char: char| char.is_ascii_digit()) && !line.contains("Copyright")
        })
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
        assert_eq!(
            first_line(with("sh", &["-c", script])).as_deref(),
            Some("tool 1.2")
        );
        assert_eq!(first_line(with("/no/such/program", &[])), None);
    }
}
