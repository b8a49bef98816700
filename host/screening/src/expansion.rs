//! The expanded size of a component. A nested component is compiled wherever it is instantiated, so
//! ten levels that each instantiate the one before ten times are ten billion.

use super::transfers::Transfers;
use super::{Unfit, types};
use connection::limits::{
    MAX_COMPONENT_DEPTH, MAX_COMPONENT_PARTS, MAX_CORE_INSTANCES, MAX_EXPANDED_BYTES,
};
use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentExternalKind, ComponentInstance,
    ComponentOuterAliasKind, Encoding, Instance, Payload,
};

/// The least size of an instantiation. Its type's size is not known here: with the largest types,
/// the compiler takes ten megabytes for each.
const INSTANCE_BYTES: u64 = 160 << 10;
/// The size of each function that a component calls, without its values. For a function of another
/// component, the compiler generates an adapter: about 200 microseconds and 28 kilobytes if there
/// is only one.
const CALLED_BYTES: u64 = 2 << 10;
/// The size of each import, export, alias and declaration, besides its own bytes: some take the
/// compiler a kilobyte.
const ITEM_BYTES: u64 = 128;

/// The open components, outermost first.
pub(crate) struct Expansion<'a> {
    whole: &'a [u8],
    open: Vec<Scope>,
    /// The number of components and modules.
    parts: usize,
    transfers: Transfers,
    total: Cost,
}

/// The cost of instantiating a component.
#[derive(Clone, Copy, Default)]
struct Cost {
    /// Its own bytes, without nested components, plus those of what it instantiates.
    bytes: u64,
    /// The number of instantiated modules.
    instances: u64,
}

/// A component or module that is still open.
struct Scope {
    is_module: bool,
    /// The cost of each component by index; `None` if the component is unknown.
    components: Vec<Option<Cost>>,
    cost: Cost,
}

impl<'a> Expansion<'a> {
    /// Starts with an empty component.
    pub(crate) fn of(whole: &'a [u8]) -> Self {
        Expansion {
            whole,
            open: Vec::new(),
            parts: 0,
            transfers: Transfers::new(),
            total: Cost::default(),
        }
    }

    pub(crate) fn note(&mut self, payload: &Payload<'_>) -> Result<(), Unfit> {
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
                    cost: Cost {
                        bytes: INSTANCE_BYTES,
                        instances: 0,
                    },
                });
            }
            Payload::End(_) => self.close(),
            _ => {
                if self.open.last().is_some_and(|scope| !scope.is_module) {
                    let bytes = own_bytes(payload) + weight(payload, self.whole)?;
                    let bytes = bytes.saturating_add(self.transfers.weight(payload)?);
                    let instances = instances(payload)?;
                    self.add(Cost { bytes, instances })?;
                }
                self.note_section(payload)?;
            }
        }
        self.transfers.enter(payload);
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
                        let cost = self.component(0, component_index);
                        let cost = cost.ok_or(Unfit::ForeignComponent)?;
                        self.add(cost)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The component that an alias names, if it is one.
    fn aliased(&self, alias: &ComponentAlias<'_>) -> Option<Option<Cost>> {
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

    /// The cost of a component in the scope this many levels out.
    fn component(&self, outwards: usize, index: u32) -> Option<Cost> {
        let scope = self.open.iter().rev().nth(outwards)?;
        *scope.components.get(index as usize)?
    }

    fn define(&mut self, cost: Option<Cost>) {
        if let Some(scope) = self.open.last_mut() {
            scope.components.push(cost);
        }
    }

    /// Adds to the cost of the innermost component.
    fn add(&mut self, more: Cost) -> Result<(), Unfit> {
        let Some(Scope { cost, .. }) = self.open.last_mut() else {
            return Ok(());
        };
        cost.bytes = cost.bytes.saturating_add(more.bytes);
        cost.instances = cost.instances.saturating_add(more.instances);
        if cost.instances > MAX_CORE_INSTANCES.into() {
            return Err(Unfit::Instances);
        }
        if cost.bytes > MAX_EXPANDED_BYTES {
            Err(Unfit::Expansion)
        } else {
            Ok(())
        }
    }

    fn close(&mut self) {
        if let Some(closed) = self.open.pop().filter(|closed| !closed.is_module) {
            self.define(Some(closed.cost));
            self.total = closed.cost;
        }
    }

    /// The expanded size, after all sections.
    pub(crate) fn total_bytes(&self) -> u64 {
        self.total.bytes
    }
}

/// The number of modules that a section instantiates.
fn instances(section: &Payload<'_>) -> Result<u64, Unfit> {
    let mut count = 0;
    if let Payload::InstanceSection(instances) = section {
        for instance in instances.clone() {
            count += u64::from(matches!(instance?, Instance::Instantiate { .. }));
        }
    }
    Ok(count)
}

/// The size that a section adds to its component. Nested modules and components, and custom
/// sections, do not count.
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

/// The size of the items in a section, besides its bytes.
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
