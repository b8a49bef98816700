//! The cost of large types: a few bytes can declare a type with a million parts, and the compiler
//! visits all of them wherever such values are passed between components, and wherever an instance
//! is imported or created.

use super::sizes::{Known, Size};
use std::collections::HashMap;
use wasmparser::component_types::ComponentAnyTypeId;
use wasmparser::{
    CanonicalFunction, ComponentCanonicalSectionReader, ComponentExportSectionReader,
    ComponentExternalKind, ComponentImportSectionReader, ComponentInstance,
    ComponentInstanceSectionReader, ComponentTypeRef, Payload, Result, Validator,
};

/// The size of each part of a copied type, whose resources get a new identity: up to a microsecond
/// and 440 bytes.
const COPIED_BYTES: u64 = 64;
/// The size of each number passed between components. Its code takes up to 5 microseconds and 260
/// bytes to compile.
const HANDED_BYTES: u64 = 8;

/// Follows a component section by section, with its types.
pub(crate) struct Transfers {
    validator: Validator,
    known: HashMap<ComponentAnyTypeId, Size>,
    /// The largest type so far.
    largest: Size,
    /// Whether a section was invalid. The compiler will find that before it compiles anything.
    is_invalid: bool,
}

impl Transfers {
    pub(crate) fn new() -> Self {
        Transfers {
            validator: Validator::new_with_features(crate::features::offered()),
            known: HashMap::new(),
            largest: Size::default(),
            is_invalid: false,
        }
    }

    /// The size that types add to a section, in bytes. Call this before entering the section.
    pub(crate) fn weight(&mut self, section: &Payload<'_>) -> Result<u64> {
        let Some(types) = self.validator.types(0).filter(|_| !self.is_invalid) else {
            return Ok(0);
        };
        let mut known = Known {
            types,
            sizes: &mut self.known,
            largest: self.largest,
        };
        match section {
            Payload::ComponentImportSection(imports) => known.imports(imports.clone()),
            Payload::ComponentExportSection(exports) => known.exports(exports.clone()),
            Payload::ComponentInstanceSection(instances) => known.instances(instances.clone()),
            Payload::ComponentCanonicalSection(functions) => known.calls(functions.clone()),
            _ => Ok(0),
        }
    }

    /// Enters a section after its weight was taken.
    pub(crate) fn enter(&mut self, section: &Payload<'_>) {
        if self.is_invalid {
            return;
        }
        let before = self.type_count();
        self.is_invalid = self.validator.payload(section).is_err();
        if self.is_invalid {
            return;
        }
        let Some(types) = self.validator.types(0) else {
            return;
        };
        let mut known = Known {
            types,
            sizes: &mut self.known,
            largest: Size::default(),
        };
        let mut largest = self.largest;
        match section {
            Payload::ComponentTypeSection(_) => {
                for index in before..types.component_type_count() {
                    largest = largest.largest(known.ty(index));
                }
            }
            Payload::End(_) => {
                if let Some(last) = types.component_count().checked_sub(1) {
                    largest = largest.largest(known.component(last));
                }
            }
            _ => {}
        }
        self.largest = largest;
    }

    fn type_count(&self) -> u32 {
        self.validator
            .types(0)
            .map_or(0, |types| types.component_type_count())
    }
}

impl Known<'_> {
    fn imports(&mut self, imports: ComponentImportSectionReader<'_>) -> Result<u64> {
        let mut copied: u64 = 0;
        for import in imports {
            copied = copied.saturating_add(self.described(import?.ty));
        }
        Ok(copied.saturating_mul(COPIED_BYTES))
    }

    fn exports(&mut self, exports: ComponentExportSectionReader<'_>) -> Result<u64> {
        let mut copied: u64 = 0;
        for export in exports {
            let export = export?;
            let described = export.ty.map_or(0, |ty| self.described(ty));
            let exported = match export.kind {
                ComponentExternalKind::Component => self.component(export.index),
                ComponentExternalKind::Instance => self.instance(export.index),
                _ => Size::default(),
            };
            copied = copied
                .saturating_add(described)
                .saturating_add(exported.parts);
        }
        Ok(copied.saturating_mul(COPIED_BYTES))
    }

    fn instances(&mut self, instances: ComponentInstanceSectionReader<'_>) -> Result<u64> {
        let mut copied: u64 = 0;
        for instance in instances {
            if let ComponentInstance::Instantiate {
                component_index, ..
            } = instance?
            {
                copied = copied.saturating_add(self.component(component_index).parts);
            }
        }
        Ok(copied.saturating_mul(COPIED_BYTES))
    }

    fn calls(&mut self, functions: ComponentCanonicalSectionReader<'_>) -> Result<u64> {
        let mut lifted = Vec::new();
        let mut handed: u64 = 0;
        for function in functions {
            match function? {
                CanonicalFunction::Lift { type_index, .. } => lifted.push(type_index),
                CanonicalFunction::Lower { func_index, .. } => {
                    handed = handed.saturating_add(self.function(func_index, &lifted).handed);
                }
                _ => {}
            }
        }
        Ok(handed.saturating_mul(HANDED_BYTES))
    }

    /// The parts that are copied of an imported or described instance or component.
    fn described(&mut self, ty: ComponentTypeRef) -> u64 {
        match ty {
            ComponentTypeRef::Instance(index) | ComponentTypeRef::Component(index) => {
                self.ty(index).parts
            }
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests;
