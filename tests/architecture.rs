//! What must never be in the host's source: ARCHITECTURE.md lists the same rules for people. They are
//! checked on the text of the files, without comments.

use crate::fixture::root;
use std::fs;
use std::path::{Path, PathBuf};

/// The library's modules in the order of their imports: each may name those to its left only.
const LAYERS: &[&str] = &[
    "choices",
    "sync",
    "limits",
    "guest_text",
    "ownership",
    "registration",
    "descriptors",
    "confinement",
    "opening",
    "trust",
    "unix_socket",
    "control",
    "address",
    "rates",
    "framing",
    "keyvalue",
    "outbox",
    "handler",
    "connection",
    "exchange",
    "generation",
    "stream",
    "tls",
    "watch",
    "datagram",
    "listener",
    "metrics",
    "admission",
    "server",
    "client",
    "record",
    "bench",
    "call",
    "engine",
    "config",
    "project",
    "scaffold",
    "swap",
    "host",
];
/// Modules that stand side by side in that order and must not know each other.
const STRANGERS: &[(&str, &str)] = &[
    ("engine", "stream"),
    ("engine", "tls"),
    ("engine", "admission"),
    ("connection", "stream"),
    ("connection", "tls"),
    ("tls", "handler"),
    ("admission", "handler"),
    ("engine", "connection"),
    ("engine", "listener"),
    ("engine", "server"),
    ("engine", "client"),
    ("engine", "control"),
    ("engine", "exchange"),
    ("engine", "generation"),
    ("generation", "exchange"),
    ("client", "exchange"),
    ("bench", "exchange"),
    ("client", "connection"),
    ("client", "server"),
    ("client", "listener"),
    ("framing", "handler"),
    ("record", "connection"),
    ("record", "handler"),
    ("record", "server"),
    ("record", "engine"),
    ("call", "connection"),
    ("bench", "engine"),
    ("bench", "connection"),
    ("bench", "framing"),
    ("bench", "handler"),
    ("bench", "listener"),
    ("bench", "server"),
    ("connection", "control"),
    ("handler", "control"),
    ("listener", "control"),
    ("server", "control"),
    ("client", "control"),
    ("datagram", "connection"),
    ("datagram", "handler"),
    ("datagram", "outbox"),
    ("datagram", "engine"),
    ("datagram", "generation"),
    ("datagram", "client"),
    ("datagram", "bench"),
    ("datagram", "control"),
];
const MAX_FILE_LINES: usize = 320;
const MAX_FUNCTION_LINES: usize = 70;

struct Source {
    /// Relative to host/src.
    path: PathBuf,
    /// The text without line comments.
    code: String,
    /// How many lines the file has above its tests.
    lines: usize,
}

impl Source {
    /// The module of the library it belongs to.
    fn module(&self) -> String {
        let first = self
            .path
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_str()
            .unwrap();
        first.trim_end_matches(".rs").to_owned()
    }

    fn is_test(&self) -> bool {
        [
            "tests.rs",
            "conversation_tests.rs",
            "properties.rs",
            "invariants.rs",
        ]
        .iter()
        .any(|name| self.path.ends_with(name))
    }

    fn names(&self, word: &str) -> bool {
        let is_part = |char: char| char.is_alphanumeric() || char == '_';
        self.code.match_indices(word).any(|(at, _)| {
            !self.code[..at].ends_with(is_part)
                && !self.code[at + word.len()..].starts_with(is_part)
        })
    }
}

fn sources() -> Vec<Source> {
    let base = root().join("host/src");
    let mut sources = Vec::new();
    let mut folders = vec![base.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                sources.push(source(&base, &path));
            }
        }
    }
    assert!(sources.len() > 20, "the sources were not found");
    sources
}

fn source(base: &Path, path: &Path) -> Source {
    let text = fs::read_to_string(path).unwrap();
    let tests = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>();
    Source {
        path: path.strip_prefix(base).unwrap().to_owned(),
        code: code.join("\n"),
        lines: text[..tests].lines().count(),
    }
}

#[test]
fn only_the_engine_names_wasmtime_and_only_the_command_line_names_clap() {
    for source in sources() {
        let module = source.module();
        assert!(
            module == "engine" || !source.names("wasmtime"),
            "{:?}",
            source.path
        );
        assert!(
            module == "engine" || !source.names("wasmtime_wasi"),
            "{:?}",
            source.path
        );
        assert!(
            module == "cli" || !source.names("clap"),
            "{:?}",
            source.path
        );
    }
}

#[test]
fn framing_is_pure() {
    for source in sources()
        .iter()
        .filter(|source| source.module() == "framing")
    {
        for impure in ["tokio", "std::io", "std::net", "std::time", "std::fs"] {
            assert!(!source.names(impure), "{:?} names {impure}", source.path);
        }
    }
}

#[test]
fn imports_run_one_way() {
    let place = |module: &str| LAYERS.iter().position(|layer| *layer == module);
    for source in sources() {
        let module = source.module();
        let Some(own) = place(&module) else {
            assert!(
                ["lib", "main", "cli", "fuzzing"].contains(&module.as_str()),
                "{module} has no place in the order"
            );
            continue;
        };
        for (other, layer) in LAYERS.iter().enumerate() {
            let imports = source.names(&format!("crate::{layer}"));
            assert!(
                !imports || other <= own,
                "{:?} imports {layer}",
                source.path
            );
            let strangers =
                STRANGERS.contains(&(&module, layer)) || STRANGERS.contains(&(layer, &module));
            assert!(
                !imports || !strangers,
                "{:?} must not know {layer}",
                source.path
            );
        }
    }
}

/// The files of one folder that a file imports.
fn neighbours<'a>(source: &Source, sources: &'a [Source]) -> Vec<&'a Source> {
    let beside = |other: &&Source| {
        let name = other.path.file_stem().unwrap().to_str().unwrap();
        other.path.parent() == source.path.parent()
            && other.path != source.path
            && (source.names(&format!("super::{name}"))
                || source.names(&format!("crate::{}::{name}", source.module())))
    };
    sources
        .iter()
        .filter(|other| !other.is_test())
        .filter(beside)
        .collect()
}

#[test]
fn no_folder_has_an_import_circle() {
    let sources = sources();
    for start in &sources {
        let mut reached: Vec<&Source> = neighbours(start, &sources);
        let mut next = 0;
        while next < reached.len() {
            for source in neighbours(reached[next], &sources) {
                if !reached.iter().any(|known| known.path == source.path) {
                    reached.push(source);
                }
            }
            next += 1;
        }
        let circle = reached.iter().any(|source| source.path == start.path);
        assert!(!circle, "{:?} imports itself by way of others", start.path);
    }
}

#[test]
fn nothing_is_a_grab_bag_and_nothing_is_long() {
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
        let mut begun = None;
        for (number, line) in source.code.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            if line.trim_start().contains("fn ") && line.ends_with('{') {
                begun = Some((number, indent));
            }
            if let Some((first, outer)) =
                begun.filter(|(_, outer)| line.trim() == "}" && *outer == indent)
            {
                let _ = outer;
                assert!(
                    number - first < MAX_FUNCTION_LINES,
                    "{:?}: a function of {} lines",
                    source.path,
                    number - first
                );
                begun = None;
            }
        }
    }
}

#[test]
fn there_is_no_unsafe_code() {
    for root in ["lib.rs", "main.rs"] {
        let source = sources()
            .into_iter()
            .find(|source| source.path == Path::new(root))
            .unwrap();
        assert!(source.code.contains("#![forbid(unsafe_code)]"), "{root}");
    }
}
