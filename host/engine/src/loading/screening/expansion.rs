//! What the components in a component come to. Each is compiled anew wherever it is instantiated, so that ten that
//! instantiate the one before them ten times each are ten billion.

use super::transfers::Transfers;
use super::{Unfit, types};
use crate::MAX_CORE_INSTANCES;
use connection::limits::{MAX_COMPONENT_DEPTH, MAX_COMPONENT_PARTS, MAX_EXPANDED_BYTES};
use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentExternalKind, ComponentInstance,
    ComponentOuterAliasKind, Encoding, Instance, Payload,
};

/// What each instantiation counts at least. An instance has a type, whose size is not known here: with types of the
/// largest size there is, the compiler takes ten megabytes for each.
const INSTANCE_BYTES: u64 = 160 << 10;
/// What each function counts that a component calls, without its values. If another component's is what it calls, the
/// compiler makes code that hands the values over: some 200 microseconds and 28 kilobytes for each, if there is but one.
const CALLED_BYTES: u64 = 2 << 10;
/// What each import, export, alias and declaration counts beside its own bytes: some take the compiler a kilobyte.
const ITEM_BYTES: u64 = 128;

/// The components that are open, the outermost one first.
pub(super) struct Expansion<'a> {
    whole: &'a [u8],
    open: Vec<Scope>,
    /// How many components and modules there are.
    parts: usize,
    transfers: Transfers,
    total: Cost,
}

/// What a component comes to when it is instantiated.
#[derive(Clone, Copy, Default)]
struct Cost {
    /// Its own bytes, without those of what is in it, and those of what it instantiates.
    bytes: u64,
    /// How many modules are instantiated.
    instances: u64,
}

/// A component, or a module, whose end has not come.
struct Scope {
    is_module: bool,
    /// What there is to instantiate: the cost of each component by its index, none if it is not known which
    /// component it is.
    components: Vec<Option<Cost>>,
    cost: Cost,
}

impl<'a> Expansion<'a> {
    /// Of a component of which nothing is noted.
    pub(super) fn of(whole: &'a [u8]) -> Self {
        Expansion {
            whole,
            open: Vec::new(),
            parts: 0,
            transfers: Transfers::new(),
            total: Cost::default(),
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

    /// What an alias makes known, if it is a component's.
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

    /// The cost of a component of the scope that is so many further out than the last one.
    fn component(&self, outwards: usize, index: u32) -> Option<Cost> {
        let scope = self.open.iter().rev().nth(outwards)?;
        *scope.components.get(index as usize)?
    }

    fn define(&mut self, cost: Option<Cost>) {
        if let Some(scope) = self.open.last_mut() {
            scope.components.push(cost);
        }
    }

    /// Adds to what the component that is open last comes to.
    fn add(&mut self, more: Cost) -> Result<(), Unfit> {
        let Some(Scope { cost, .. }) = self.open.last_mut() else {
            return Ok(());
        };
        cost.bytes = cost.bytes.saturating_add(more.bytes);
        cost.instances = cost.instances.saturating_add(more.instances);
        if cost.instances > MAX_CORE_INSTANCES.into() {
            return Err(Unfit::Instances);
        }
        match cost.bytes > MAX_EXPANDED_BYTES {
            true => Err(Unfit::Expansion),
            false => Ok(()),
        }
    }

    fn close(&mut self) {
        if let Some(closed) = self.open.pop().filter(|closed| !closed.is_module) {
            self.define(Some(closed.cost));
            self.total = closed.cost;
        }
    }

    /// What the whole comes to, when all of it is noted.
    pub(super) fn total_bytes(&self) -> u64 {
        self.total.bytes
    }
}

/// How many modules a section instantiates.
fn instances(section: &Payload<'_>) -> Result<u64, Unfit> {
    let mut count = 0;
    if let Payload::InstanceSection(instances) = section {
        for instance in instances.clone() {
            count += u64::from(matches!(instance?, Instance::Instantiate { .. }));
        }
    }
    Ok(count)
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
