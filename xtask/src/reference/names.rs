//! Formats types and functions as WIT.

use wit_parser::{Function, FunctionKind, Handle, InterfaceId, Resolve, Type, TypeDefKind, TypeId};

/// Knows the names of all types.
pub struct Names<'a>(pub &'a Resolve);

impl Names<'_> {
    pub fn interface(&self, id: InterfaceId) -> &str {
        let name = self.0.interfaces[id].name.as_deref();
        name.expect("what a world names has a name")
    }

    /// A type, with a link to its definition if it has a name.
    pub fn linked(&self, of: &Type) -> String {
        let name = self.of(of);
        match self.named(of) {
            Some(id) => {
                let definition = &self.0.types[id];
                let own = definition.name.as_deref().unwrap_or_default();
                format!("[`{name}`](#{}-{own})", definition.kind.as_str())
            }
            None => format!("`{name}`"),
        }
    }

    /// In WIT syntax.
    pub fn signature(&self, function: &Function) -> String {
        let is_method = matches!(
            function.kind,
            FunctionKind::Method(_) | FunctionKind::AsyncMethod(_)
        );
        let parameters = function.params.iter().skip(usize::from(is_method));
        let parameters: Vec<_> = parameters
            .map(|parameter| format!("{}: {}", parameter.name, self.of(&parameter.ty)))
            .collect();
        let parameters = parameters.join(", ");
        let kind = match function.kind {
            FunctionKind::Constructor(_) => return format!("constructor({parameters});"),
            FunctionKind::Freestanding | FunctionKind::Method(_) => "func",
            FunctionKind::AsyncFreestanding | FunctionKind::AsyncMethod(_) => "async func",
            FunctionKind::Static(_) => "static func",
            FunctionKind::AsyncStatic(_) => "static async func",
        };
        let result = function.result.as_ref();
        let result = result.map(|result| format!(" -> {}", self.of(result)));
        let name = function.item_name();
        format!(
            "{name}: {kind}({parameters}){};",
            result.unwrap_or_default()
        )
    }

    fn of(&self, of: &Type) -> String {
        match of {
            Type::Bool => "bool".to_owned(),
            Type::U8 => "u8".to_owned(),
            Type::U16 => "u16".to_owned(),
            Type::U32 => "u32".to_owned(),
            Type::U64 => "u64".to_owned(),
            Type::S8 => "s8".to_owned(),
            Type::S16 => "s16".to_owned(),
            Type::S32 => "s32".to_owned(),
            Type::S64 => "s64".to_owned(),
            Type::F32 => "f32".to_owned(),
            Type::F64 => "f64".to_owned(),
            Type::Char => "char".to_owned(),
            Type::String => "string".to_owned(),
            Type::ErrorContext => "error-context".to_owned(),
            Type::Id(id) => self.of_definition(*id),
        }
    }

    fn of_definition(&self, id: TypeId) -> String {
        let definition = &self.0.types[id];
        if let Some(name) = &definition.name {
            return name.clone();
        }
        let of = |of: &Type| self.of(of);
        let or_nothing = |of: &Option<Type>| of.as_ref().map_or("_".to_owned(), |of| self.of(of));
        match &definition.kind {
            // An owned handle is written as the resource.
            TypeDefKind::Handle(Handle::Own(id)) => self.of_definition(*id),
            TypeDefKind::Handle(Handle::Borrow(id)) => {
                format!("borrow<{}>", self.of_definition(*id))
            }
            TypeDefKind::Option(some) => format!("option<{}>", of(some)),
            TypeDefKind::List(element) => format!("list<{}>", of(element)),
            TypeDefKind::FixedLengthList(element, length) => {
                format!("list<{}, {length}>", of(element))
            }
            TypeDefKind::Map(key, value) => format!("map<{}, {}>", of(key), of(value)),
            TypeDefKind::Tuple(tuple) => {
                let types: Vec<_> = tuple.types.iter().map(of).collect();
                format!("tuple<{}>", types.join(", "))
            }
            TypeDefKind::Result(result) => match (&result.ok, &result.err) {
                (None, None) => "result".to_owned(),
                (Some(ok), None) => format!("result<{}>", of(ok)),
                (ok, Some(err)) => format!("result<{}, {}>", or_nothing(ok), of(err)),
            },
            TypeDefKind::Future(None) => "future".to_owned(),
            TypeDefKind::Future(Some(value)) => format!("future<{}>", of(value)),
            TypeDefKind::Stream(None) => "stream".to_owned(),
            TypeDefKind::Stream(Some(value)) => format!("stream<{}>", of(value)),
            TypeDefKind::Type(meaning) => of(meaning),
            named => named.as_str().to_owned(),
        }
    }

    /// The definition of the first named type in it.
    fn named(&self, of: &Type) -> Option<TypeId> {
        let Type::Id(id) = of else { return None };
        match &self.0.types[*id].kind {
            TypeDefKind::Type(meaning @ Type::Id(_)) => self.named(meaning),
            _ if self.0.types[*id].name.is_some() => Some(*id),
            TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => self.named(&Type::Id(*id)),
            TypeDefKind::Option(inner) | TypeDefKind::List(inner) => self.named(inner),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_written_as_they_stand_in_the_wit() {
        let functions = [
            "a: func();",
            "b: func(one: list<u8>, two: option<tuple<s8, char>>) -> result<_, string>;",
            "c: func(other: borrow<thing>) -> thing;",
            "constructor(size: u32);",
            "d: static func() -> result<bool>;",
        ];
        let text = format!(
            "package a:b; interface i {{ resource thing {{ {} }} }}",
            functions.concat()
        );
        let mut resolve = Resolve::default();
        resolve.push_str("i.wit", &text).unwrap();
        let names = Names(&resolve);
        let (_, interface) = resolve.interfaces.iter().next().unwrap();
        let written = interface.functions.values();
        let written: Vec<_> = written.map(|it| names.signature(it)).collect();
        assert_eq!(written, functions);
    }
}
