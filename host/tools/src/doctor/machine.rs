//! What is installed on this machine. Nothing here downloads: not the proxies of rustup, not Go,
//! not npm.

use super::needs::{Kind, Tool, Version};
use std::cell::RefCell;
use std::collections::HashMap;
use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Programs that would otherwise download what a file in the working directory names, or look for
/// news.
const OFFLINE: [(&str, &str); 4] = [
    ("RUSTUP_AUTO_INSTALL", "0"),
    ("GOTOOLCHAIN", "local"),
    ("NO_UPDATE_NOTIFIER", "1"),
    ("COREPACK_ENABLE_NETWORK", "0"),
];
/// Prints what this Python has: its version, whether the system manages its packages, and modules.
const ASK_PYTHON: &str = "
import importlib.util, os, sys, sysconfig
marker = os.path.join(sysconfig.get_path('stdlib'), 'EXTERNALLY-MANAGED')
print('managed', sys.prefix == sys.base_prefix and os.path.exists(marker))
for name in ('pip', 'ensurepip', 'ziglang'):
    spec = importlib.util.find_spec(name)
    if spec:
        print(name, os.path.dirname(spec.origin))
";

/// A tool on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// Its version, if it says one.
    pub version: Option<String>,
    /// Whether that version is too old.
    pub is_too_old: bool,
}

/// This machine, as builds in a directory see it.
pub struct Machine {
    /// Where programs are asked.
    folder: PathBuf,
    search: Vec<PathBuf>,
    variables: Vec<(String, String)>,
    /// What programs have printed. Languages share tools, and each is asked once.
    asked: RefCell<HashMap<Question, Option<String>>>,
}

/// A program and its arguments.
type Question = (PathBuf, Vec<String>);

impl Machine {
    /// As builds in this directory see it.
    pub fn seen_from(folder: &Path) -> Self {
        let path = env::var_os("PATH").unwrap_or_default();
        let variables = env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Machine {
            folder: folder.to_owned(),
            search: env::split_paths(&path).collect(),
            variables: variables.collect(),
            asked: RefCell::default(),
        }
    }

    /// One with only the programs in these directories.
    #[cfg(test)]
    pub fn with(search: Vec<PathBuf>, variables: Vec<(String, String)>) -> Self {
        Machine {
            folder: PathBuf::from("/"),
            search,
            variables,
            asked: RefCell::default(),
        }
    }

    /// As builds outside of every project see it.
    pub fn anywhere() -> Self {
        Machine::seen_from(Path::new("/"))
    }

    /// The tool, if it is here.
    pub fn find(&self, tool: &Tool) -> Option<Found> {
        let variable = |name| self.variables.iter().find(|(it, _)| it == name);
        let replaced = tool.variable.and_then(variable);
        if let Some(program) = replaced.and_then(|(_, command)| command.split_whitespace().next()) {
            // Makefiles use it as it is: it may be a script without a version.
            return self.program(program).map(Found::of_no_version);
        }
        match tool.kind {
            Kind::Program(version) => self.versioned(tool, version),
            Kind::Target => self.target(tool.name).map(Found::of_no_version),
            Kind::Module(name) => self.module(name).map(Found::of_no_version),
            Kind::ProgramOrModule(version, name) => self
                .versioned(tool, version)
                .or_else(|| self.module(name).map(Found::of_no_version)),
        }
    }

    /// Whether the tool is here, and not too old.
    pub fn has(&self, tool: &Tool) -> bool {
        self.find(tool).is_some_and(|found| !found.is_too_old)
    }

    /// Whether the system's package manager owns the packages of its Python, so that pip refuses to
    /// install any unless told otherwise.
    pub fn manages_python(&self) -> bool {
        self.python("managed").is_some_and(|it| it == "True")
    }

    /// The version of Debian's package that `apt-get` would install, of those that it knows.
    pub fn candidate(&self, package: &str) -> Option<String> {
        let text = self.ask(&self.program("apt-cache")?, &["policy", package])?;
        let lines = text.lines().map(str::trim);
        let mut candidates = lines.filter_map(|line| line.strip_prefix("Candidate: "));
        let candidate = candidates.next().filter(|version| *version != "(none)")?;
        // Without its epoch.
        let version = candidate
            .split_once(':')
            .map_or(candidate, |(_, rest)| rest);
        Some(version.to_owned())
    }

    /// The path of a program.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        if name.contains('/') {
            return Some(self.folder.join(name)).filter(|path| is_program(path));
        }
        let mut paths = self.search.iter().map(|folder| folder.join(name));
        paths.find(|path| is_program(path))
    }

    fn versioned(&self, tool: &Tool, arguments: &[&str]) -> Option<Found> {
        let path = self.program(tool.name)?;
        let version = self.ask(&path, arguments);
        let version = version.and_then(|text| version_in(&text).map(str::to_owned));
        let number = version.as_deref().and_then(number);
        // A program that cannot say its version does not work: a proxy without a toolchain.
        let is_too_old = tool
            .minimum
            .is_some_and(|it| number.is_none_or(|is| is < it));
        Some(Found {
            path,
            version,
            is_too_old,
        })
    }

    /// The libraries of a target of rustc.
    fn target(&self, name: &str) -> Option<PathBuf> {
        let question = ["--print", "target-libdir", "--target", name];
        let folder = self.ask(&self.program("rustc")?, &question)?;
        let folder = PathBuf::from(folder.trim());
        let mut files = fs::read_dir(&folder).ok()?.flatten();
        let is_std = |name: &str| name.starts_with("libstd-");
        let has_std = files.any(|file| file.file_name().to_str().is_some_and(is_std));
        has_std.then_some(folder)
    }

    fn module(&self, name: &str) -> Option<PathBuf> {
        self.python(name).map(PathBuf::from)
    }

    /// What the Python on the PATH says of itself under this name.
    fn python(&self, name: &str) -> Option<String> {
        let text = self.ask(&self.program("python3")?, &["-c", ASK_PYTHON])?;
        let mut lines = text.lines().filter_map(|line| line.split_once(' '));
        let (_, value) = lines.find(|(it, _)| *it == name)?;
        Some(value.to_owned())
    }

    /// What a program prints, if it succeeds.
    fn ask(&self, program: &Path, arguments: &[&str]) -> Option<String> {
        let words = arguments.iter().map(|it| (*it).to_owned()).collect();
        let question = (program.to_owned(), words);
        let mut asked = self.asked.borrow_mut();
        let answer = asked.entry(question);
        let answer = answer.or_insert_with(|| self.run(program, arguments));
        answer.clone()
    }

    fn run(&self, program: &Path, arguments: &[&str]) -> Option<String> {
        let mut command = Command::new(program);
        command.args(arguments).envs(OFFLINE);
        command.current_dir(&self.folder).stdin(Stdio::null());
        let output = command.output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success().then_some(text)
    }
}

impl Found {
    fn of_no_version(path: PathBuf) -> Self {
        Found {
            path,
            version: None,
            is_too_old: false,
        }
    }
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// The first word that is a version, such as 1.27.3 in `go version go1.27.3 linux/amd64`.
fn version_in(text: &str) -> Option<&str> {
    let mut words = text.split(|it: char| it.is_whitespace() || "(),".contains(it));
    words.find_map(|word| {
        let word = word.trim_start_matches(|it: char| it.is_alphabetic());
        let end = word.find(|it: char| !it.is_ascii_digit() && it != '.');
        let version = word.get(..end.unwrap_or(word.len()))?;
        number(version).map(|_| version)
    })
}

/// The first two numbers of a version.
pub fn number(version: &str) -> Option<Version> {
    let (major, rest) = version.split_once('.')?;
    let end = rest
        .find(|it: char| !it.is_ascii_digit())
        .unwrap_or(rest.len());
    Some((major.parse().ok()?, rest.get(..end)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_print() {
        for (text, version) in [
            ("cargo 1.95.0 (abc 2026-03-01)", "1.95.0"),
            ("go version go1.27.3 linux/amd64", "1.27.3"),
            (
                "cc (Debian 12.2.0-14+deb12u1) 12.2.0\nCopyright (C) 2022",
                "12.2.0",
            ),
            ("v20.20.2", "20.20.2"),
            ("GNU Make 4.3", "4.3"),
            ("0.17.0-dev.12+ab", "0.17.0"),
        ] {
            assert_eq!(version_in(text), Some(version));
        }
        assert_eq!(version_in("no version 7 here"), None);
        assert_eq!(number("18.20.4+dfsg-1~deb12u1"), Some((18, 20)));
        assert_eq!(number("1.19~1"), Some((1, 19)));
    }
}
