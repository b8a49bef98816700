//! What a component wants from its host.

use super::keyvalue;
use super::logging;
use std::collections::BTreeSet;
use wasmtime::Engine;
use wasmtime::component::Component;

/// The interfaces this host offers in their version 0.2, beside drafts of others and its own.
const OFFERED: [&str; 7] = [
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:config/",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
];
/// What a program that uses no more than its language's standard library imports all the same.
const PLAIN: [&str; 5] = [
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:random/",
];
/// Our own interfaces, which come with the worlds that use them.
const OURS: &str = "echo-host:handler/";
const OUR_VERSION: &str = "@0.1.0";

/// The names of the interfaces a component imports, in its own order.
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

    /// Those this host has never heard of.
    pub fn not_offered(&self) -> Vec<String> {
        let names = self.0.iter().filter(|name| !is_offered(name));
        names.cloned().collect()
    }

    /// Those that say more than that it was written in some language.
    pub fn beyond_plain(&self) -> Vec<String> {
        let names = self.0.iter().filter(|name| !is_plain(name));
        names.cloned().collect()
    }

    /// All of them.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Those of several components, each once.
    pub fn of_all<'a>(all: impl Iterator<Item = &'a Imports>) -> Self {
        let names: BTreeSet<_> = all.flat_map(|imports| &imports.0).collect();
        Imports(names.into_iter().cloned().collect())
    }
}

/// What an operator does about an import beyond those of a plain program.
pub fn grant(import: &str) -> &'static str {
    match import.split_once('/') {
        Some(("wasi:config", _)) => "--config-value gives it values",
        Some(("wasi:keyvalue", _)) => "kept in memory, or where --keyvalue says",
        Some(("wasi:sockets", _)) => "denied, unless --allow-connect names whom it may connect to",
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

/// What a guest logs is bounded as what it prints.
fn needs_no_grant(import: &str) -> bool {
    is_of(import, OURS, OUR_VERSION) || is_of(import, logging::PACKAGE, logging::VERSION)
}

fn is_of(import: &str, package: &str, version: &str) -> bool {
    import.starts_with(package) && import.ends_with(version)
}
