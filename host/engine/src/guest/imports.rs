//! The imports of a component.

use super::contract::SERIES;
use super::keyvalue;
use super::logging;
use std::collections::BTreeSet;
use wasmtime::Engine;
use wasmtime::component::Component;

/// The interfaces offered in version 0.2, besides drafts and our own.
const OFFERED: [&str; 7] = [
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:config/",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
];
/// What a program imports that only uses its standard library.
const PLAIN: [&str; 5] = [
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:random/",
];
/// Our own interfaces, which belong to the worlds.
const OURS: &str = "echo-host:handler/";

/// The interfaces that a component imports, in its order.
pub struct Imports(Vec<String>);

impl Imports {
    /// The imports of `component`.
    pub fn of(component: &Component, engine: &Engine) -> Self {
        let ty = component.component_type();
        Imports(
            ty.imports(engine)
                .map(|(name, _)| name.to_owned())
                .collect(),
        )
    }

    /// Imports that this host does not offer.
    pub fn not_offered(&self) -> Vec<String> {
        let names = self.0.iter().filter(|name| !is_offered(name));
        names.cloned().collect()
    }

    /// Imports beyond those of every plain program.
    pub fn beyond_plain(&self) -> Vec<String> {
        let names = self.0.iter().filter(|name| !is_plain(name));
        names.cloned().collect()
    }

    /// All imports.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// The imports of several components, each once.
    pub fn of_all<'a>(all: impl Iterator<Item = &'a Imports>) -> Self {
        let names: BTreeSet<_> = all.flat_map(|imports| &imports.0).collect();
        Imports(names.into_iter().cloned().collect())
    }
}

/// Which option grants an import beyond those of a plain program.
pub fn grant(import: &str) -> &'static str {
    match import.split_once('/') {
        Some(("wasi:config", _)) => "values come from --config-value",
        Some(("wasi:keyvalue", _)) => "in memory, or in the store of --keyvalue",
        Some(("wasi:sockets", _)) => "denied, except for hosts in --allow-connect",
        _ => "granted",
    }
}

fn is_offered(import: &str) -> bool {
    let known = OFFERED.iter().any(|package| import.starts_with(package));
    is_of(import, keyvalue::PACKAGE, keyvalue::VERSION)
        || needs_no_grant(import)
        || known && import.contains("@0.2.")
}

fn is_plain(import: &str) -> bool {
    needs_no_grant(import) || PLAIN.iter().any(|package| import.starts_with(package))
}

/// Logging is limited like printing.
fn needs_no_grant(import: &str) -> bool {
    is_of_contract(import) || is_of(import, logging::PACKAGE, logging::VERSION)
}

fn is_of_contract(import: &str) -> bool {
    let version = import.split_once('@').map(|(_, version)| version);
    import.starts_with(OURS) && version.is_some_and(|it| it.starts_with(SERIES))
}

fn is_of(import: &str, package: &str, version: &str) -> bool {
    import.starts_with(package) && import.ends_with(version)
}
