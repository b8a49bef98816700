//! How much the types of a component declare. Types of components and instances declare types in turn, to any depth, and
//! whoever reads them as a whole goes as deep: here each level is a number on a list.

use super::Unfit;
use connection::limits::MAX_COMPONENT_DEPTH;
use wasmparser::{BinaryReader, ComponentExternalKind, ComponentType, ComponentTypeDeclaration};

/// How types of components and of instances begin, and a type among their declarations (component model specification,
/// "Binary Format").
const COMPONENT_TYPE: u8 = 0x41;
const INSTANCE_TYPE: u8 = 0x42;
const TYPE_DECLARATION: u8 = 0x01;
/// In place of how a type begins: the section itself.
const SECTION: u8 = 0;

/// How many other declarations count as much as one import or export in the type of a component. The validator goes through
/// all of its type, which a few bytes can name, and takes up to 3 milliseconds. Few components declare any.
const OF_COMPONENT: u64 = 256;

/// How many declarations the content of a section of types has, those in types included. A type must not declare
/// instances or components: the compiler may copy all that is in one for each time that it is declared.
pub(super) fn declarations(section: &[u8]) -> Result<u64, Unfit> {
    let mut reader = BinaryReader::new(section, 0);
    // How many are still to come, in the section itself and in each type that is open.
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
