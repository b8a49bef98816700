//! Rules about the source that neither Cargo nor clippy can check. ARCHITECTURE.md lists them for
//! people.

use crate::fixture::root;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The crates of the host, and which of them each may depend on.
const CRATES: &[(&str, &[&str])] = &[
    ("address", &[]),
    ("choices", &[]),
    ("system", &["choices"]),
    ("websocket", &["choices"]),
    ("framing", &["websocket"]),
    (
        "connection",
        &["address", "choices", "framing", "websocket"],
    ),
    ("exchange", &["connection", "framing"]),
    ("keyvalue", &["connection"]),
    ("screening", &["connection"]),
    (
        "engine",
        &[
            "address",
            "choices",
            "connection",
            "framing",
            "keyvalue",
            "screening",
            "system",
        ],
    ),
    (
        "server",
        &[
            "address",
            "choices",
            "connection",
            "framing",
            "system",
            "websocket",
        ],
    ),
    (
        "config",
        &[
            "address",
            "choices",
            "connection",
            "engine",
            "framing",
            "keyvalue",
            "server",
            "system",
            "websocket",
        ],
    ),
    (
        "daemon",
        &[
            "address",
            "config",
            "connection",
            "engine",
            "exchange",
            "keyvalue",
            "server",
            "system",
        ],
    ),
    (
        "tools",
        &[
            "address",
            "config",
            "connection",
            "daemon",
            "engine",
            "exchange",
            "framing",
            "server",
        ],
    ),
    (
        ".",
        &[
            "address",
            "config",
            "connection",
            "daemon",
            "engine",
            "exchange",
            "framing",
            "keyvalue",
            "server",
            "system",
            "tools",
        ],
    ),
];
/// External crates that only one of ours may depend on.
const RESERVED: &[(&str, &str)] = &[
    ("wasmtime", "engine"),
    ("wasmtime-wasi", "engine"),
    ("clap", "."),
];
/// Directories, and what their files must not name.
const STRANGERS: &[(&str, &[&str])] = &[
    (
        "framing/src",
        &[
            "tokio",
            "std::io",
            "std::net",
            "std::time",
            "std::fs",
            "crate::handler",
        ],
    ),
    ("connection/src/generation", &["std::net"]),
    (
        "server/src/telnet/codec.rs",
        &["tokio", "std::io", "std::net", "std::time"],
    ),
    (
        "connection/src/task/machine",
        &[
            "tokio",
            "std::io",
            "std::net",
            "std::fs",
            "crate::generation",
        ],
    ),
    ("connection/src", &["std::net::TcpStream", "tokio::net"]),
    (
        "server/src/datagram",
        &["connection::task", "connection::handler"],
    ),
    ("server/src/tls", &["connection::handler"]),
    ("server/src/admission", &["connection::handler"]),
    (
        "daemon/src/control",
        &["crate::host", "crate::swap", "crate::process"],
    ),
    (
        "tools/src/bench",
        &[
            "engine",
            "daemon",
            "server::service",
            "server::listener",
            "connection::framing",
            "connection::handler",
            "connection::task",
        ],
    ),
    ("tools/src/client", &["engine", "daemon", "server::service"]),
    (
        "tools/src/record",
        &[
            "engine",
            "daemon",
            "connection::handler",
            "connection::task",
        ],
    ),
];
const MAX_FILE_LINES: usize = 320;
/// With its tests.
const MAX_CRATE_LINES: usize = 10_000;

struct Source {
    /// Relative to the directory `host`.
    path: PathBuf,
    /// The text without line comments.
    code: String,
    /// Number of lines above the file's tests.
    lines: usize,
}

impl Source {
    fn is_test(&self) -> bool {
        let name = self.path.file_name().unwrap().to_str().unwrap();
        let whole_files = ["tests.rs", "properties.rs", "invariants.rs", "fuzzing.rs"];
        whole_files.contains(&name)
            || name.ends_with("_tests.rs")
            || self.path.components().any(|it| it.as_os_str() == "tests")
    }

    fn names(&self, path: &str) -> bool {
        let is_part = |char: char| char.is_alphanumeric() || char == '_' || char == ':';
        self.code.match_indices(path).any(|(at, _)| {
            let after = &self.code[at + path.len()..];
            !self.code[..at].ends_with(is_part)
                && !after.starts_with(|char: char| char.is_alphanumeric() || char == '_')
                && (path.contains("::") || after.starts_with("::"))
        })
    }
}

fn host() -> PathBuf {
    root().join("host")
}

fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    let mut folders: Vec<_> = CRATES
        .iter()
        .map(|(it, _)| host().join(it).join("src"))
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                sources.push(source(&path));
            }
        }
    }
    assert!(sources.len() > 200, "the sources were not found");
    sources
}

fn source(path: &Path) -> Source {
    let text = fs::read_to_string(path).unwrap();
    let tests = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let path: PathBuf = path.strip_prefix(host()).unwrap().components().collect();
    Source {
        path: path.strip_prefix(".").unwrap_or(&path).to_owned(),
        code: code.collect::<Vec<_>>().join("\n"),
        lines: text[..tests].lines().count(),
    }
}

/// The dependencies in the manifest of a crate.
fn dependencies(krate: &str) -> BTreeSet<String> {
    let manifest = fs::read_to_string(host().join(krate).join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let tables = ["dependencies", "dev-dependencies"];
    let tables = tables
        .iter()
        .filter_map(|table| manifest.get(*table)?.as_table());
    tables.flat_map(|table| table.keys().cloned()).collect()
}

#[test]
fn crates_depend_on_each_other_one_way_and_each_kind_of_library_has_one_home() {
    for (krate, allowed) in CRATES {
        let there = dependencies(krate);
        for (other, _) in CRATES {
            assert!(
                !there.contains(*other) || allowed.contains(other),
                "{krate} must not depend on {other}"
            );
        }
        for (library, home) in RESERVED {
            assert!(
                !there.contains(*library) || home == krate,
                "{library} is for {home}, not for {krate}"
            );
        }
    }
}

#[test]
fn strangers_do_not_name_each_other() {
    let sources = sources();
    for (folder, strangers) in STRANGERS {
        let mut within = sources
            .iter()
            .filter(|it| it.path.starts_with(folder))
            .peekable();
        assert!(within.peek().is_some(), "{folder} is not there");
        for (source, stranger) in within.flat_map(|it| strangers.iter().map(move |path| (it, path)))
        {
            assert!(
                !source.names(stranger),
                "{:?} names {stranger}",
                source.path
            );
        }
    }
}

/// The modules of a directory, and which of them each imports. A module is a file or a directory.
fn imports(folder: &Path, sources: &[Source]) -> BTreeMap<String, BTreeSet<String>> {
    let within = sources
        .iter()
        .filter(|it| it.path.starts_with(folder) && !it.is_test());
    let within: Vec<_> = within
        .map(|source| {
            let path = source.path.strip_prefix(folder).unwrap();
            let module = Path::new(path.iter().next().unwrap()).with_extension("");
            (
                module.to_str().unwrap().to_owned(),
                path.iter().count(),
                source,
            )
        })
        .filter(|(module, ..)| !["mod", "lib", "main"].contains(&module.as_str()))
        .collect();
    let modules: BTreeSet<_> = within.iter().map(|(module, ..)| module.clone()).collect();
    let inside = folder.iter().skip_while(|part| *part != "src").skip(1);
    let prefix = inside.fold("crate".to_owned(), |path, part| {
        format!("{path}::{}", part.to_str().unwrap())
    });
    let mut graph = BTreeMap::<_, BTreeSet<_>>::new();
    for (module, depth, source) in within {
        let supers = "super::".repeat(depth);
        let names = |other: &&String| {
            **other != module
                && (source.names(&format!("{prefix}::{other}"))
                    || depth == 1 && source.names(&format!("{supers}{other}")))
        };
        let named = modules.iter().filter(names).cloned();
        graph.entry(module.clone()).or_default().extend(named);
    }
    graph
}

#[test]
fn no_folder_has_an_import_cycle() {
    let sources = sources();
    let folders: BTreeSet<_> = sources
        .iter()
        .flat_map(|it| it.path.ancestors().skip(1))
        .filter(|folder| folder.iter().any(|part| part == "src"))
        .collect();
    for folder in folders {
        let graph = imports(folder, &sources);
        for start in graph.keys() {
            let mut reached: Vec<_> = graph[start].iter().collect();
            let mut next = 0;
            while next < reached.len() {
                let more = graph.get(reached[next]).into_iter().flatten();
                let new: Vec<_> = more.filter(|it| !reached.contains(it)).collect();
                reached.extend(new);
                next += 1;
            }
            assert!(
                !reached.contains(&start),
                "in {folder:?}, {start} imports itself by way of {reached:?}"
            );
        }
    }
}

#[test]
fn nothing_is_a_grab_bag_and_no_file_is_long() {
    for source in sources() {
        for part in source.path.iter().map(|part| part.to_str().unwrap()) {
            let name = part.trim_end_matches(".rs");
            assert!(
                !["util", "utils", "common", "shared", "helpers", "misc"].contains(&name),
                "{part}"
            );
        }
        assert!(
            source.is_test() || source.lines <= MAX_FILE_LINES,
            "{:?}: {} lines",
            source.path,
            source.lines
        );
    }
}

#[test]
fn no_crate_is_large() {
    let mut crates = BTreeMap::<_, usize>::new();
    for source in sources() {
        let text = fs::read_to_string(host().join(&source.path)).unwrap();
        let krate = source.path.iter().next().unwrap().to_owned();
        *crates.entry(krate).or_default() += text.lines().count();
    }
    assert_eq!(crates.len(), CRATES.len());
    for (krate, lines) in crates {
        assert!(lines <= MAX_CRATE_LINES, "{krate:?}: {lines} lines");
    }
}

#[test]
fn there_is_no_unsafe_code() {
    for (krate, _) in CRATES {
        let start = if *krate == "." { "main.rs" } else { "lib.rs" };
        let text = fs::read_to_string(host().join(krate).join("src").join(start)).unwrap();
        assert!(text.contains("#![forbid(unsafe_code)]"), "{krate}");
    }
}
