//! Measures the types of a component.

use std::collections::HashMap;
use wasmparser::PrimitiveValType;
use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentDefinedType, ComponentEntityType, ComponentValType,
};
use wasmparser::types::TypesRef;

/// How many passed numbers these count as, and each case of a variant besides its payload.
const CHAR: u64 = 5;
const STRING: u64 = 100;
const LIST: u64 = 50;
const CASE: u64 = 3;
const RESOURCE: u64 = 10;
/// This many names of an enumeration, or flags, count as one number.
const NAMES: usize = 8;

/// The size of a type, with its nested types counted wherever they are named.
#[derive(Clone, Copy, Default)]
pub(crate) struct Size {
    /// The number of types in it.
    pub(crate) parts: u64,
    /// The cost of passing one value, in numbers.
    pub(crate) handed: u64,
}

/// The types known at the start of a section.
pub(crate) struct Known<'a> {
    pub(crate) types: TypesRef<'a>,
    pub(crate) sizes: &'a mut HashMap<ComponentAnyTypeId, Size>,
    /// The size of a type that is not known yet.
    pub(crate) largest: Size,
}

impl Known<'_> {
    pub(crate) fn instance(&mut self, index: u32) -> Size {
        if index < self.types.component_instance_count() {
            self.size(ComponentAnyTypeId::Instance(
                self.types.component_instance_at(index),
            ))
        } else {
            self.largest
        }
    }

    pub(crate) fn ty(&mut self, index: u32) -> Size {
        if index < self.types.component_type_count() {
            self.size(self.types.component_any_type_at(index))
        } else {
            self.largest
        }
    }

    pub(crate) fn component(&mut self, index: u32) -> Size {
        if index < self.types.component_count() {
            self.size(ComponentAnyTypeId::Component(
                self.types.component_at(index),
            ))
        } else {
            self.largest
        }
    }

    /// The size of the function with this index; those of the types `lifted` follow the known ones.
    pub(crate) fn function(&mut self, index: u32, lifted: &[u32]) -> Size {
        match index.checked_sub(self.types.component_function_count()) {
            None => self.size(ComponentAnyTypeId::Func(
                self.types.component_function_at(index),
            )),
            Some(index) => lifted
                .get(index as usize)
                .map_or(Size::default(), |index| self.ty(*index)),
        }
    }

    fn size(&mut self, id: ComponentAnyTypeId) -> Size {
        if let Some(size) = self.sizes.get(&id) {
            return *size;
        }
        let types = self.types;
        let size = match id {
            ComponentAnyTypeId::Resource(_) => Size::default(),
            ComponentAnyTypeId::Defined(id) => self.defined(&types[id]),
            ComponentAnyTypeId::Func(id) => {
                let function = &types[id];
                let params = function.params.iter().map(|(_, ty)| ty);
                self.values(params.chain(&function.result))
            }
            ComponentAnyTypeId::Instance(id) => {
                self.entities(types[id].exports.values().map(|it| it.ty))
            }
            ComponentAnyTypeId::Component(id) => {
                let component = &types[id];
                let items = component.imports.values().chain(component.exports.values());
                self.entities(items.map(|it| it.ty))
            }
        };
        self.sizes.insert(id, size);
        size
    }

    fn entities(&mut self, entities: impl Iterator<Item = ComponentEntityType>) -> Size {
        entities.fold(Size::default(), |sum, entity| {
            let size = match entity {
                ComponentEntityType::Func(id) => self.size(ComponentAnyTypeId::Func(id)),
                ComponentEntityType::Value(ty) => self.value(ty),
                ComponentEntityType::Type { referenced, .. } => self.size(referenced),
                ComponentEntityType::Instance(id) => self.size(ComponentAnyTypeId::Instance(id)),
                ComponentEntityType::Component(id) => self.size(ComponentAnyTypeId::Component(id)),
                ComponentEntityType::Module(_) => Size::default(),
            };
            sum.and(size).and(Size::of(1, 0))
        })
    }

    fn values<'a>(&mut self, values: impl IntoIterator<Item = &'a ComponentValType>) -> Size {
        let values = values.into_iter();
        values.fold(Size::default(), |sum, ty| sum.and(self.value(*ty)))
    }

    fn value(&mut self, ty: ComponentValType) -> Size {
        match ty {
            ComponentValType::Primitive(ty) => primitive(ty),
            ComponentValType::Type(id) => self.size(ComponentAnyTypeId::Defined(id)),
        }
    }

    fn defined(&mut self, ty: &ComponentDefinedType) -> Size {
        use ComponentDefinedType as Ty;
        let cases = |count: usize| Size::of(1, count as u64 * CASE);
        let names = |count: usize| Size::of(1, (count / NAMES) as u64 + 1);
        match ty {
            Ty::Primitive(ty) => primitive(*ty),
            Ty::Record(record) => self.values(record.fields.values()).and(Size::of(1, 0)),
            Ty::Tuple(tuple) => self.values(&tuple.types).and(Size::of(1, 0)),
            Ty::Variant(variant) => {
                let payloads = variant.cases.values().filter_map(|case| case.ty.as_ref());
                self.values(payloads).and(cases(variant.cases.len()))
            }
            Ty::Option { ty, .. } => self.value(*ty).and(cases(2)),
            Ty::Result { ok, err, .. } => self.values(ok.iter().chain(err)).and(cases(2)),
            Ty::List { element, .. } => self.value(*element).and(Size::of(1, LIST)),
            Ty::Map { key, value, .. } => self.values([key, value]).and(Size::of(1, LIST)),
            Ty::FixedLengthList {
                element, length, ..
            } => self.value(*element).times(u64::from(*length)),
            Ty::Enum(cases) => names(cases.len()),
            Ty::Flags(flags) => names(flags.len()),
            Ty::Own(_) | Ty::Borrow(_) => Size::of(1, RESOURCE),
            Ty::Future { ty, .. } | Ty::Stream { ty, .. } => {
                self.values(ty).and(Size::of(1, RESOURCE))
            }
        }
    }
}

fn primitive(ty: PrimitiveValType) -> Size {
    Size::of(
        1,
        match ty {
            PrimitiveValType::String => STRING,
            PrimitiveValType::Char => CHAR,
            _ => 1,
        },
    )
}

impl Size {
    fn of(parts: u64, handed: u64) -> Self {
        Size { parts, handed }
    }

    fn and(self, other: Self) -> Self {
        Size {
            parts: self.parts.saturating_add(other.parts),
            handed: self.handed.saturating_add(other.handed),
        }
    }

    pub(crate) fn largest(self, other: Self) -> Self {
        Size {
            parts: self.parts.max(other.parts),
            handed: self.handed.max(other.handed),
        }
    }

    fn times(self, times: u64) -> Self {
        Size {
            parts: self.parts.saturating_mul(times),
            handed: self.handed.saturating_mul(times),
        }
    }
}
