//! Detects what built a component, and the known problems of that.
//!
//! Compilers and tools name themselves in custom sections called `producers`, a WebAssembly tool
//! convention. It is optional and can be faked, and stripped modules have none, so texts of
//! libraries count as well: what is derived here is advice and decides nothing.

use super::language::Language;
use crate::guest::contract::HandlerKind;
use memchr::memmem;
use wasmparser::{KnownCustom, Parser, Payload};

/// What built a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// rustc.
    Rust,
    /// clang or zig.
    C,
    /// Go's own compiler.
    Go,
    /// JavaScript in StarlingMonkey.
    ComponentizeJs,
    /// JavaScript in QuickJS.
    ComponentizeQjs,
    /// Python.
    ComponentizePy,
}

/// Beginnings of the names of tools that name themselves wherever interpreters and adapters in
/// other languages are included.
const TOOLS: [(&str, Origin); 3] = [
    ("ComponentizeJS", Origin::ComponentizeJs),
    ("component-init-transform", Origin::ComponentizePy),
    ("Go", Origin::Go),
];
/// The library of componentize-qjs, by whose name its components import from it.
const QUICKJS: &[u8] = b"componentize_qjs_runtime";
/// What stands in the messages of panics in Rust's standard library.
const RUST_STD: &[u8] = b"library/std/src/";
/// Texts of wasi-libc, for `strerror` and for `printf` with numbers.
const LIBC: [&[u8]; 2] = [b"\0Illegal byte sequence\0", b"-0X+0X 0X-0x+0x 0x\0"];

impl Origin {
    /// What built a valid component in binary form, if it can be detected.
    pub fn of(component: &[u8]) -> Option<Self> {
        let mut named = TOOLS.map(|_| false);
        for_each_producer(component, |name| {
            for (named, (beginning, _)) in named.iter_mut().zip(TOOLS) {
                *named |= name.starts_with(beginning);
            }
        });
        let mut found = named.into_iter().zip(TOOLS).filter(|(named, _)| *named);
        if let Some((_, (_, origin))) = found.next() {
            return Some(origin);
        }
        if has(component, QUICKJS) {
            return Some(Origin::ComponentizeQjs);
        }
        Origin::of_compiled(main_module(component)?)
    }

    /// C and Rust appear together: rustup's standard library for wasm32-wasip2 links wasi-libc,
    /// which is written in C and binds its own imports with wit-bindgen. C has nothing of Rust.
    fn of_compiled(module: &[u8]) -> Option<Self> {
        let (mut rust, mut c) = (false, false);
        for_each_producer(module, |name| {
            rust |= ["rustc", "wit-bindgen-rust"].contains(&name);
            c |= ["clang", "wit-bindgen-c"].contains(&name);
        });
        if rust || has(module, RUST_STD) {
            return Some(Origin::Rust);
        }
        (c || LIBC.iter().any(|text| has(module, text))).then_some(Origin::C)
    }

    /// The language that the component is written in.
    pub fn language(self) -> Language {
        match self {
            Origin::Rust => Language::Rust,
            Origin::C => Language::C,
            Origin::Go => Language::Go,
            Origin::ComponentizeJs | Origin::ComponentizeQjs => Language::JavaScript,
            Origin::ComponentizePy => Language::Python,
        }
    }

    /// A known problem of these imports, as the end of a sentence.
    pub(crate) fn trap_of(origin: Option<Self>, imports: &[String]) -> String {
        let trap = origin.and_then(|origin| origin.trap(imports));
        trap.map_or_else(String::new, |trap| format!("; {trap}"))
    }

    /// A known problem of such a component if it has only these `imports`, and the way out.
    pub fn known_trap(self, imports: &[String], tier: HandlerKind) -> Option<String> {
        let trap = self.trap(imports)?;
        let has_another_way = matches!(tier, HandlerKind::Responder | HandlerKind::FramedResponder);
        Some(match trap.strip_suffix(BY_MESSAGE) {
            Some(rest) if !has_another_way => rest.to_owned(),
            _ => trap.to_owned(),
        })
    }

    /// A known problem, for every kind of handler.
    fn trap(self, imports: &[String]) -> Option<&'static str> {
        let imports = |package: &str| imports.iter().any(|it| it.starts_with(package));
        match self {
            Origin::ComponentizePy if !imports("wasi:random/") => Some(
                "built with --stub-wasi: `random` returns the same numbers in every instance, and print() traps",
            ),
            Origin::Go => Some(
                "its collector may trap after about ten thousand calls (\"cannot leave component \
                 instance\"): call debug.SetGCPercent(-1) and runtime.GC() yourself, or serve it \
                 with --isolation message",
            ),
            Origin::ComponentizeJs if imports("wasi:http/") => Some(TAKES_HTTP),
            // ComponentizeJS #279.
            Origin::ComponentizeJs => Some(
                "built by ComponentizeJS, which never frees what a call allocates, so an instance \
                 ends after a few thousand messages: build it with componentize-qjs, or serve it \
                 with --isolation message",
            ),
            _ => None,
        }
    }
}

/// For responders only: nothing else is served message by message.
const BY_MESSAGE: &str = ", or serve it with --isolation message";
const TAKES_HTTP: &str =
    "it imports wasi:http, which this host does not offer: build it with `--disable all`";

fn has(bytes: &[u8], text: &[u8]) -> bool {
    memmem::find(bytes, text).is_some()
}

/// The first core module: tools put the author's code before adapters, which are written in Rust.
fn main_module(component: &[u8]) -> Option<&[u8]> {
    let mut payloads = Parser::new(0).parse_all(component);
    payloads.find_map(|payload| match payload {
        Ok(Payload::ModuleSection {
            unchecked_range, ..
        }) => component.get(unchecked_range),
        _ => None,
    })
}

/// Visits all producers, also of nested components. Keeps none: there may be millions.
fn for_each_producer(component: &[u8], mut note: impl FnMut(&str)) {
    for payload in Parser::new(0).parse_all(component) {
        let Ok(Payload::CustomSection(section)) = payload else {
            continue;
        };
        let KnownCustom::Producers(fields) = section.as_known() else {
            continue;
        };
        for field in fields.into_iter().flatten() {
            for value in field.values.into_iter().flatten() {
                note(value.name);
            }
        }
    }
}

#[cfg(test)]
mod tests;
