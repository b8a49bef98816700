//! What the size of types makes expensive: a few bytes can stand for a type of a million parts, and the compiler goes
//! through all of them wherever a component hands such values to another, and wherever an instance is imported or made.

use super::sizes::{Known, Size};
use crate::loading::features;
use std::collections::HashMap;
use wasmparser::component_types::ComponentAnyTypeId;
use wasmparser::{
    CanonicalFunction, ComponentCanonicalSectionReader, ComponentExportSectionReader,
    ComponentExternalKind, ComponentImportSectionReader, ComponentInstance,
    ComponentInstanceSectionReader, ComponentTypeRef, Payload, Result, Validator,
};

/// What a part of a type counts that is copied, as resources in it get a new identity. That takes up to a microsecond
/// and 440 bytes.
const COPIED_BYTES: u64 = 64;
/// What a number counts that one component hands to another. The code for it takes up to 5 microseconds and 260 bytes to
/// compile.
const HANDED_BYTES: u64 = 8;

/// Follows a component section by section, and knows the types in it.
pub(super) struct Transfers {
    validator: Validator,
    known: HashMap<ComponentAnyTypeId, Size>,
    /// The largest type there is so far.
    largest: Size,
    /// Whether a section was not valid. The compiler will find that, too, before it compiles anything.
    is_invalid: bool,
}

impl Transfers {
    pub(super) fn new() -> Self {
        Transfers {
            validator: Validator::new_with_features(features::offered()),
            known: HashMap::new(),
            largest: Size::default(),
            is_invalid: false,
        }
    }

    /// What the sizes of types add to what a section counts, in bytes. To be asked before it is entered.
    pub(super) fn weight(&mut self, section: &Payload<'_>) -> Result<u64> {
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

    /// Goes on by a section, whose weight has been told.
    pub(super) fn enter(&mut self, section: &Payload<'_>) {
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

    /// How many parts of an instance or a component are copied that is imported, or whose type is described.
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
