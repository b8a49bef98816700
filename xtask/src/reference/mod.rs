//! `cargo xtask reference`: the contract as a page, from the WIT files, and the documents that the
//! host generates from its options.
//!
//! `wit-bindgen markdown` writes a page per world, repeats what several worlds share, and omits the
//! documentation of exported interfaces. So this module writes one page for the whole package.

mod names;
mod tables;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use wit_parser::{
    Docs, Function, FunctionKind, Interface, Resolve, Type, TypeDef, TypeDefKind, World, WorldItem,
};

use crate::{layout, step};
use names::Names;

const HEAD: &str = "\
<!-- Written by `cargo xtask reference` from the WIT files in wit/. -->
# The contract

";

/// Writes the page of the contract, and the documents that the host generates.
pub fn write() -> Result<()> {
    let contract = (path(), page()?);
    for (path, text) in [contract].into_iter().chain(tables::files()?) {
        if fs::read_to_string(&path).is_ok_and(|there| there == text) {
            continue;
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        step::announce(&format!("wrote {}", path.display()));
    }
    Ok(())
}

/// Fails if a page differs from what would be written.
pub fn check() -> Result<()> {
    step::announce("reference");
    check_contract()?;
    for (path, text) in tables::files()? {
        let there = fs::read_to_string(&path)?;
        ensure!(
            there == text,
            "{} is stale: run `cargo xtask reference`",
            path.display()
        );
    }
    Ok(())
}

fn check_contract() -> Result<()> {
    let path = path();
    let there =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(
        there == page()?,
        "docs/reference/contract.md is out of date; hint: run `cargo xtask reference`"
    );
    Ok(())
}

fn path() -> PathBuf {
    layout::docs().join("reference/contract.md")
}

fn page() -> Result<String> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(layout::contract())?;
    let package = &resolve.packages[package];
    let mut page = Page {
        text: HEAD.to_owned(),
        names: Names(&resolve),
    };
    let _ = writeln!(
        page.text,
        "Package `{}`. [What a handler can rely on](../handlers/contract.md) is an overview.\n",
        package.name
    );
    page.docs(&package.docs);
    for (name, world) in &package.worlds {
        page.world(name, &resolve.worlds[*world])?;
    }
    for (name, interface) in &package.interfaces {
        page.interface(name, &resolve.interfaces[*interface])?;
    }
    Ok(page.text.trim_end().to_owned() + "\n")
}

/// The text so far.
struct Page<'a> {
    text: String,
    names: Names<'a>,
}

impl Page<'_> {
    fn world(&mut self, name: &str, world: &World) -> Result<()> {
        let _ = writeln!(self.text, "## World `{name}`\n");
        self.docs(&world.docs);
        let imports = world.imports.iter().map(|it| ("imports", it));
        let exports = world.exports.iter().map(|it| ("exports", it));
        let mut functions = Vec::new();
        for (verb, (key, item)) in imports.chain(exports) {
            let _ = match item {
                WorldItem::Interface { id, .. } => {
                    let interface = self.names.interface(*id);
                    writeln!(
                        self.text,
                        "- {verb} [`{interface}`](#interface-{interface})"
                    )
                }
                WorldItem::Function(function) => {
                    functions.push(function);
                    writeln!(self.text, "- {verb} the function `{}`", function.name)
                }
                WorldItem::Type { .. } => {
                    bail!("world {name} declares the type {key:?}; hint: move it into an interface")
                }
            };
        }
        self.text.push('\n');
        functions
            .into_iter()
            .for_each(|function| self.function("###", "", function));
        Ok(())
    }

    fn interface(&mut self, name: &str, interface: &Interface) -> Result<()> {
        let _ = writeln!(self.text, "## Interface `{name}`\n");
        self.docs(&interface.docs);
        for (name, id) in &interface.types {
            let definition = &self.names.0.types[*id];
            // Types of another interface are documented there.
            if matches!(definition.kind, TypeDefKind::Type(Type::Id(_))) {
                continue;
            }
            self.definition(name, definition)?;
            let is_its = |function: &&Function| {
                function.kind.resource() == Some(*id)
                    && matches!(definition.kind, TypeDefKind::Resource)
            };
            for function in interface.functions.values().filter(is_its) {
                self.function("####", &format!("{name}."), function);
            }
        }
        let alone = |function: &&Function| function.kind.resource().is_none();
        for function in interface.functions.values().filter(alone) {
            self.function("###", "", function);
        }
        Ok(())
    }

    fn definition(&mut self, name: &str, definition: &TypeDef) -> Result<()> {
        let kind = definition.kind.as_str();
        let _ = writeln!(self.text, "### {kind} `{name}`\n");
        self.docs(&definition.docs);
        match &definition.kind {
            TypeDefKind::Resource => return Ok(()),
            TypeDefKind::Record(record) => {
                for field in &record.fields {
                    self.part(&field.name, Some(&field.ty), &field.docs);
                }
            }
            TypeDefKind::Variant(variant) => {
                for case in &variant.cases {
                    self.part(&case.name, case.ty.as_ref(), &case.docs);
                }
            }
            TypeDefKind::Enum(cases) => {
                for case in &cases.cases {
                    self.part(&case.name, None, &case.docs);
                }
            }
            TypeDefKind::Flags(flags) => {
                for flag in &flags.flags {
                    self.part(&flag.name, None, &flag.docs);
                }
            }
            TypeDefKind::Type(meaning) => {
                let _ = writeln!(
                    self.text,
                    "Another name for {}.",
                    self.names.linked(meaning)
                );
            }
            other => bail!(
                "{name} is a {}, which has no name of its own",
                other.as_str()
            ),
        }
        self.text.push('\n');
        Ok(())
    }

    /// A field, a case or a flag.
    fn part(&mut self, name: &str, of: Option<&Type>, docs: &Docs) {
        let of = of.map(|of| format!(", {}", self.names.linked(of)));
        let _ = write!(self.text, "- `{name}`{}", of.unwrap_or_default());
        let docs = docs.contents.as_deref().unwrap_or_default().trim();
        if !docs.is_empty() {
            let _ = write!(self.text, ": {}", docs.replace('\n', "\n  "));
        }
        self.text.push('\n');
    }

    fn function(&mut self, level: &str, owner: &str, function: &Function) {
        let name = match function.kind {
            FunctionKind::Constructor(_) => "constructor",
            _ => function.item_name(),
        };
        let _ = writeln!(
            self.text,
            "{level} `{owner}{name}`\n\n```wit\n{}\n```\n",
            self.names.signature(function)
        );
        self.docs(&function.docs);
    }

    fn docs(&mut self, docs: &Docs) {
        if let Some(docs) = &docs.contents {
            let _ = writeln!(self.text, "{}\n", docs.trim());
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_is_what_the_contract_says() {
        super::check_contract().unwrap();
    }
}
