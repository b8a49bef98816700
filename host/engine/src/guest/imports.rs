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

/// An interface that a handler wants, and how it gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// Its name, without a version.
    pub interface: String,
    /// The option that grants it, or that nothing does.
    pub grant: &'static str,
}

/// Interfaces that come with another one, and are granted with it.
const COMPANIONS: [(&str, &[&str]); 4] = [
    ("tcp-create-socket", &["tcp"]),
    ("udp-create-socket", &["udp"]),
    ("network", &["ip-name-lookup", "tcp", "udp"]),
    ("instance-network", &["ip-name-lookup", "tcp", "udp"]),
];

/// What these imports want, beyond those of a plain program: each interface once, companions of
/// another one left out.
pub fn wants(imports: &[String]) -> Vec<Want> {
    let names: BTreeSet<&str> = imports
        .iter()
        .map(|import| without_version(import))
        .collect();
    let is_companion = |name: &str| {
        let socket = name.strip_prefix("wasi:sockets/");
        let row = COMPANIONS
            .iter()
            .find(|(companion, _)| Some(*companion) == socket);
        row.is_some_and(|(_, with)| {
            let mut with = with.iter().map(|it| format!("wasi:sockets/{it}"));
            with.any(|it| names.contains(&*it))
        })
    };
    let shown = names.iter().filter(|name| !is_companion(name));
    let wants = shown.map(|name| Want {
        interface: (*name).to_owned(),
        grant: grant(name),
    });
    wants.collect()
}

fn without_version(import: &str) -> &str {
    import.split_once('@').map_or(import, |(name, _)| name)
}

fn grant(interface: &str) -> &'static str {
    match interface.split_once('/') {
        Some(("wasi:config", _)) => "--config-value KEY=VALUE",
        Some(("wasi:keyvalue", _)) => "--keyvalue memory, the default, or redis://HOST:PORT",
        Some(("wasi:sockets", "udp" | "udp-create-socket")) => {
            "not offered: handlers cannot use UDP sockets"
        }
        Some(("wasi:sockets", _)) => "--allow-connect HOST:PORT",
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

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(imports: &[&str]) -> Vec<String> {
        let imports: Vec<_> = imports.iter().map(|it| (*it).to_owned()).collect();
        let wants = wants(&imports).into_iter();
        wants
            .map(|it| format!("{}: {}", it.interface, it.grant))
            .collect()
    }

    #[test]
    fn sockets_take_one_line_each_and_udp_has_no_option() {
        let of_python = [
            "wasi:sockets/network@0.2.0",
            "wasi:sockets/instance-network@0.2.0",
            "wasi:sockets/udp@0.2.0",
            "wasi:sockets/udp-create-socket@0.2.0",
            "wasi:sockets/tcp@0.2.0",
            "wasi:sockets/tcp-create-socket@0.2.0",
            "wasi:sockets/ip-name-lookup@0.2.0",
        ];
        let expected = [
            "wasi:sockets/ip-name-lookup: --allow-connect HOST:PORT",
            "wasi:sockets/tcp: --allow-connect HOST:PORT",
            "wasi:sockets/udp: not offered: handlers cannot use UDP sockets",
        ];
        assert_eq!(shown(&of_python), expected);
    }

    #[test]
    fn a_companion_alone_is_shown() {
        let network = ["wasi:sockets/instance-network@0.2.0"];
        let expected = ["wasi:sockets/instance-network: --allow-connect HOST:PORT"];
        assert_eq!(shown(&network), expected);
        let udp = shown(&["wasi:sockets/udp-create-socket@0.2.0"]);
        assert!(udp[0].contains("not offered"), "{udp:?}");
    }

    #[test]
    fn an_interface_in_two_versions_is_shown_once() {
        let twice = ["wasi:sockets/tcp@0.2.0", "wasi:sockets/tcp@0.2.3"];
        assert_eq!(shown(&twice).len(), 1);
    }
}
