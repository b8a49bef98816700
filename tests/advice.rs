//! Options that messages name exist on the commands that print these messages.

use crate::fixture::{echo_host, root};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Where messages come from, and the commands that print them: the first entry that fits. An option
/// exists on one of them, and on both that swap.
const PRINTED_BY: [(&str, &[&str]); 24] = [
    ("host/daemon/src/swap/watch.rs", &["serve"]),
    ("host/daemon/src/swap/", &["serve", "swap"]),
    ("host/daemon/src/host/error.rs", &["serve", "swap"]),
    ("host/server/src/tls/client.rs", &["connect"]),
    ("host/server/src/tls/error.rs", &["serve", "connect"]),
    ("host/src/cli/tools/bench.rs", &["bench"]),
    ("host/src/cli/tools/call.rs", &["call"]),
    ("host/src/cli/tools/connect.rs", &["connect"]),
    ("host/src/cli/tools/dev.rs", &["dev"]),
    ("host/src/cli/tools/doctor.rs", &["doctor"]),
    ("host/src/cli/tools/new.rs", &["new"]),
    ("host/src/cli/tools/profile.rs", &["profile"]),
    ("host/src/cli/tools/record.rs", &["record"]),
    ("host/src/cli/tools/tap.rs", &["tap"]),
    ("host/src/cli/tools/test.rs", &["test"]),
    ("host/src/cli/check.rs", &["check", "serve"]),
    ("host/src/cli/connections.rs", &["connections"]),
    ("host/src/cli/disconnect.rs", &["disconnect"]),
    ("host/src/cli/status.rs", &["status"]),
    ("host/src/cli/swap.rs", &["swap"]),
    ("host/src/cli/words.rs", &["swap"]),
    ("host/tools/src/scaffold/", &["serve"]),
    ("host/tools/src/", &["bench", "record", "new", "connect"]),
    ("host/", &["serve"]),
];

/// Options of other programs, in hints about these.
const OTHERS: [&str; 9] = [
    "--target",
    "--help",
    "--version",
    // pip, curl
    "--break-system-packages",
    "--proto",
    // componentize-py, jco, swaks
    "--stub-wasi",
    "--disable",
    "--server",
    "--to",
];

fn options_of(command: &str) -> BTreeSet<String> {
    let help = echo_host(&[command, "--help"]).stdout;
    names(&help).map(str::to_owned).collect()
}

/// The options in a text.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("--").filter_map(|(at, _)| {
        let before = text[..at].chars().next_back();
        let name = &text[at..];
        let end = name[2..].find(|it: char| !it.is_ascii_lowercase() && it != '-');
        let name = &name[..end.map_or(name.len(), |end| end + 2)];
        let is_name = name[2..].starts_with(|it: char| it.is_ascii_lowercase())
            && !before.is_some_and(|it| it == '-' || it.is_alphanumeric());
        is_name.then_some(name)
    })
}

/// The string literals of a source without its comments and tests, roughly: what stands between
/// quotation marks.
fn literals(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n");
    code.split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let is_other = ["templates", "fuzz", "tests", "benches", "target"].contains(&name);
        if path.is_dir() && !is_other {
            sources(&path, found);
        } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
            let path = path.strip_prefix(root()).unwrap();
            found.push(path.to_str().unwrap().to_owned());
        }
    }
}

#[test]
fn every_advised_option_exists() {
    let mut files = Vec::new();
    sources(&root().join("host"), &mut files);
    let mut known = BTreeMap::new();
    let mut advised = 0;
    let mut missing = Vec::new();
    for file in files {
        let (_, commands) = PRINTED_BY
            .iter()
            .find(|(part, _)| file.starts_with(part))
            .unwrap();
        let source = fs::read_to_string(root().join(&file)).unwrap();
        for literal in literals(&source) {
            // A text for people, not a name in the code.
            if !literal.contains(' ') {
                continue;
            }
            for name in names(&literal).filter(|name| !OTHERS.contains(name)) {
                advised += 1;
                let all = file.starts_with("host/daemon/src/swap/");
                let mut has = |command: &str| {
                    let options = known.entry(command.to_owned());
                    options
                        .or_insert_with(|| options_of(command))
                        .contains(name)
                };
                let with = commands.iter().filter(|it| has(it)).count();
                if with == 0 || all && with < commands.len() {
                    missing.push(format!("{file}: {name}"));
                }
            }
        }
    }
    assert!(advised > 60, "{advised}");
    assert!(missing.is_empty(), "{missing:#?}");
}
