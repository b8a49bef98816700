//! What the host offers to handlers, from the WIT files it is built with.

use crate::fixture::{crate_folder, root};
use wit_parser::abi::{FlatTypes, WasmType};
use wit_parser::{
    Function, Handle, InterfaceId, Resolve, SizeAlign, Type, TypeDefKind, WorldId, WorldItem,
};

/// Everything that a handler may import, and the exports of a conversation.
const WORLD: &str = "package test:calls;
    world caller {
        include wasi:cli/imports@0.2.12;
        include wasi:config/imports@0.2.0-rc.1;
        include wasi:keyvalue/imports@0.2.0-draft2;
        include wasi:logging/imports@0.1.0-draft;
        include echo-host:handler/conversation-handler@0.2.0;
    }";

/// The interfaces and their functions.
pub struct Offer {
    pub resolve: Resolve,
    pub world: WorldId,
    sizes: SizeAlign,
}

impl Offer {
    pub fn read() -> Self {
        let mut resolve = Resolve::default();
        for folder in [
            crate_folder("wasmtime-wasi").join("src/p2/wit"),
            root().join("wit"),
        ] {
            resolve.push_path(folder).unwrap();
        }
        let package = resolve.push_str("caller.wit", WORLD).unwrap();
        let world = resolve.select_world(&[package], Some("caller")).unwrap();
        let mut sizes = SizeAlign::default();
        sizes.fill(&resolve);
        Offer {
            resolve,
            world,
            sizes,
        }
    }

    /// The names of all functions: the interface without its version, and the function's own name.
    pub fn functions(&self) -> Vec<(String, String)> {
        let functions = self.interfaces().flat_map(|(name, interface)| {
            let functions = self.resolve.interfaces[interface].functions.keys();
            functions.map(move |function| (unversioned(&name).to_owned(), function.clone()))
        });
        functions.collect()
    }

    fn interfaces(&self) -> impl Iterator<Item = (String, InterfaceId)> {
        let imports = self.resolve.worlds[self.world].imports.iter();
        imports.filter_map(|(key, item)| match item {
            WorldItem::Interface { id, .. } => Some((self.resolve.name_world_key(key), *id)),
            _ => None,
        })
    }

    /// A function, and the full name of its interface.
    pub fn function(&self, interface: &str, name: &str) -> (String, &Function) {
        let mut interfaces = self.interfaces();
        let found = interfaces.find(|(whole, _)| unversioned(whole) == interface);
        let (whole, id) = found.unwrap_or_else(|| panic!("{interface}"));
        let function = self.resolve.interfaces[id].functions.get(name);
        (whole, function.unwrap_or_else(|| panic!("{name}")))
    }

    /// The resource of a handle, or of a list of handles.
    pub fn resource(&self, ty: &Type) -> Option<&str> {
        let Type::Id(id) = ty else { return None };
        match &self.resolve.types[*id].kind {
            TypeDefKind::Handle(Handle::Own(of) | Handle::Borrow(of)) => {
                self.resolve.types[*of].name.as_deref()
            }
            TypeDefKind::List(of) | TypeDefKind::Type(of) => self.resource(of),
            _ => None,
        }
    }

    /// Size of an element of a list, in bytes.
    pub fn size(&self, ty: &Type) -> u32 {
        self.sizes.size(ty).size_wasm32() as u32
    }

    /// Number of core WebAssembly values of a value of this type.
    pub fn flat_length(&self, ty: &Type) -> usize {
        let mut room = [WasmType::I32; 32];
        let mut flat = FlatTypes::new(&mut room);
        assert!(self.resolve.push_flat(ty, &mut flat));
        flat.to_vec().len()
    }
}

fn unversioned(interface: &str) -> &str {
    interface.split('@').next().unwrap()
}
