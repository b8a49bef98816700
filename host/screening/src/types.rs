//! Counts the declarations in the types of a component. Types of components and instances nest to
//! any depth, and a recursive reader would go as deep: here each level is a number on a list.

use super::Unfit;
use connection::limits::MAX_COMPONENT_DEPTH;
use wasmparser::{BinaryReader, ComponentExternalKind, ComponentType, ComponentTypeDeclaration};

/// The first bytes of component types and instance types, and of a type among their declarations
/// (component model specification, "Binary Format").
const COMPONENT_TYPE: u8 = 0x41;
const INSTANCE_TYPE: u8 = 0x42;
const TYPE_DECLARATION: u8 = 0x01;
/// Stands for the section itself, instead of the first byte of a type.
const SECTION: u8 = 0;

/// How many declarations one import or export in a component type counts as. The validator visits
/// its whole type, which a few bytes can name, in up to 3 milliseconds. Few components declare any.
const OF_COMPONENT: u64 = 256;

/// The number of declarations in a type section, with nested types. A type must not declare
/// instances or components: the compiler may copy all their content for each declaration.
pub(crate) fn declarations(section: &[u8]) -> Result<u64, Unfit> {
    let mut reader = BinaryReader::new(section, 0);
    // The remaining declarations, of the section and of each open type.
    let mut open = vec![(SECTION, reader.read_var_u32()?)];
    let mut count = 0;
    while let Some((kind, left)) = open.last_mut() {
        let is_in_component = *kind == COMPONENT_TYPE;
        if *left == 0 {
            open.pop();
            continue;
        }
        *left -= 1;
        count += 1;
        if open.len() > 1 {
            if next_byte(&reader)? != TYPE_DECLARATION {
                let declared = match reader.read()? {
                    ComponentTypeDeclaration::Import(import) => Some(import.ty.kind()),
                    ComponentTypeDeclaration::Export { ty, .. } => Some(ty.kind()),
                    _ => None,
                };
                match declared {
                    Some(ComponentExternalKind::Instance | ComponentExternalKind::Component) => {
                        return Err(Unfit::NestedInstance);
                    }
                    Some(_) if is_in_component => count += OF_COMPONENT - 1,
                    _ => {}
                }
                continue;
            }
            reader.read_u8()?;
        }
        if !matches!(next_byte(&reader)?, COMPONENT_TYPE | INSTANCE_TYPE) {
            reader.read::<ComponentType>()?;
            continue;
        }
        if open.len() > MAX_COMPONENT_DEPTH {
            return Err(Unfit::Depth);
        }
        let kind = reader.read_u8()?;
        open.push((kind, reader.read_var_u32()?));
    }
    Ok(count)
}

fn next_byte(reader: &BinaryReader<'_>) -> Result<u8, Unfit> {
    Ok(reader.clone().read_u8()?)
}
