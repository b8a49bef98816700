//! What the components in a component come to. Each is compiled anew wherever it is instantiated, so that ten that
//! instantiate the one before them ten times each are ten billion.

use super::{Unfit, types};
use crate::limits::{MAX_COMPONENT_DEPTH, MAX_COMPONENT_PARTS, MAX_EXPANDED_BYTES};
use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentExternalKind, ComponentInstance,
    ComponentOuterAliasKind, Encoding, Payload,
};

/// What each instantiation counts at least. An instance has a type, whose size is not known here: with types of the
/// largest size there is, the compiler takes ten megabytes for each.
const INSTANCE_BYTES: u64 = 160 << 10;
/// What each function counts that a component calls. If another component's is what it calls, the compiler makes code
/// that hands the values over: up to twelve milliseconds and 200 kilobytes for each.
const CALLED_BYTES: u64 = 8 << 10;
/// What each import, export, alias and declaration counts beside its own bytes: some take the compiler a kilobyte.
const ITEM_BYTES: u64 = 128;

/// The components that are open, the outermost one first.
pub(super) struct Expansion<'a> {
    whole: &'a [u8],
    open: Vec<Scope>,
    /// How many components and modules there are.
    parts: usize,
}

/// A component, or a module, whose end has not come.
struct Scope {
    is_module: bool,
    /// What there is to instantiate: the bytes of each component by its index, none if it is not known which
    /// component it is.
    components: Vec<Option<u64>>,
    /// Its own bytes, without those of what is in it, and those of what it instantiates.
    bytes: u64,
}

impl<'a> Expansion<'a> {
    /// Of a component of which nothing is noted.
    pub(super) fn of(whole: &'a [u8]) -> Self {
        Expansion {
            whole,
            open: Vec::new(),
            parts: 0,
        }
    }

    pub(super) fn note(&mut self, payload: &Payload<'_>) -> Result<(), Unfit> {
        match payload {
            Payload::Version { encoding, .. } => {
                if self.open.len() >= MAX_COMPONENT_DEPTH {
                    return Err(Unfit::Depth);
                }
                self.parts += 1;
                if self.parts > MAX_COMPONENT_PARTS {
                    return Err(Unfit::Parts);
                }
                self.open.push(Scope {
                    is_module: *encoding == Encoding::Module,
                    components: Vec::new(),
                    bytes: INSTANCE_BYTES,
                });
            }
            Payload::End(_) => self.close(),
            _ => {
                if let Some(scope) = self.open.last_mut().filter(|scope| !scope.is_module) {
                    scope.add(own_bytes(payload) + weight(payload, self.whole)?)?;
                }
                self.note_section(payload)?;
            }
        }
        Ok(())
    }

    fn note_section(&mut self, payload: &Payload<'_>) -> Result<(), Unfit> {
        match payload {
            Payload::ComponentAliasSection(aliases) => {
                for alias in aliases.clone() {
                    if let Some(known) = self.aliased(&alias?) {
                        self.define(known);
                    }
                }
            }
            Payload::ComponentImportSection(imports) => {
                for import in imports.clone() {
                    if import?.ty.kind() == ComponentExternalKind::Component {
                        self.define(None);
                    }
                }
            }
            Payload::ComponentExportSection(exports) => {
                for export in exports.clone() {
                    let export = export?;
                    if export.kind == ComponentExternalKind::Component {
                        self.define(self.component(0, export.index));
                    }
                }
            }
            Payload::ComponentInstanceSection(instances) => {
                for instance in instances.clone() {
                    if let ComponentInstance::Instantiate {
                        component_index, ..
                    } = instance?
                    {
                        let bytes = self.component(0, component_index);
                        let bytes = bytes.ok_or(Unfit::ForeignComponent)?;
                        if let Some(scope) = self.open.last_mut() {
                            scope.add(bytes)?;
                        }
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What an alias makes known, if it is a component's.
    fn aliased(&self, alias: &ComponentAlias<'_>) -> Option<Option<u64>> {
        match *alias {
            ComponentAlias::Outer {
                kind: ComponentOuterAliasKind::Component,
                count,
                index,
            } => Some(self.component(count as usize, index)),
            ComponentAlias::InstanceExport {
                kind: ComponentExternalKind::Component,
                ..
            } => Some(None),
            _ => None,
        }
    }

    /// The bytes of a component of the scope that is so many further out than the last one.
    fn component(&self, outwards: usize, index: u32) -> Option<u64> {
        let scope = self.open.iter().rev().nth(outwards)?;
        *scope.components.get(index as usize)?
    }

    fn define(&mut self, bytes: Option<u64>) {
        if let Some(scope) = self.open.last_mut() {
            scope.components.push(bytes);
        }
    }

    fn close(&mut self) {
        if let Some(closed) = self.open.pop().filter(|closed| !closed.is_module) {
            self.define(Some(closed.bytes));
        }
    }
}

impl Scope {
    fn add(&mut self, bytes: u64) -> Result<(), Unfit> {
        self.bytes = self.bytes.saturating_add(bytes);
        match self.bytes > MAX_EXPANDED_BYTES {
            true => Err(Unfit::Expansion),
            false => Ok(()),
        }
    }
}

/// What a section adds to its component itself: modules and components in it, and what tools have left for other
/// tools, do not count.
fn own_bytes(section: &Payload<'_>) -> u64 {
    match section {
        Payload::ModuleSection { .. }
        | Payload::ComponentSection { .. }
        | Payload::CustomSection(_) => 0,
        other => other
            .as_section()
            .map_or(0, |(_, range)| range.len() as u64),
    }
}

/// What is in a section counts so much beside its bytes.
fn weight(section: &Payload<'_>, whole: &[u8]) -> Result<u64, Unfit> {
    let items = match section {
        Payload::ComponentImportSection(it) => it.count().into(),
        Payload::ComponentExportSection(it) => it.count().into(),
        Payload::ComponentAliasSection(it) => it.count().into(),
        Payload::ComponentTypeSection(it) => {
            types::declarations(whole.get(it.range()).unwrap_or_default())?
        }
        Payload::ComponentCanonicalSection(functions) => {
            let mut called = 0;
            for function in functions.clone() {
                called += u64::from(matches!(function?, CanonicalFunction::Lower { .. }));
            }
            return Ok(called * CALLED_BYTES);
        }
        _ => 0,
    };
    Ok(items * ITEM_BYTES)
}
