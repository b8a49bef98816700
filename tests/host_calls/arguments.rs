//! The arguments of a function, as large as its types permit.

use super::offer::Offer;
use wit_component::StringEncoding;
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{Function, Type, TypeDefKind};

/// The address of lists and strings in the guest's memory (the same for all), and of a text of one
/// byte.
pub const LISTS: u32 = 1 << 20;
pub const SHORT: u32 = 0x800;

/// The arguments of one call.
pub struct Arguments<'a> {
    offer: &'a Offer,
    /// Length of each list and string.
    bytes: u32,
    encoding: StringEncoding,
    values: Vec<Value>,
    /// Their content.
    pub fill: Fill,
    /// Whether options are present, or a number for one.
    pub has_lists: bool,
}

#[derive(Clone)]
enum Value {
    Number(i64),
    /// Of this resource.
    Handle(String),
}

/// The elements of lists.
#[derive(Clone, Copy)]
pub enum Fill {
    Bytes,
    /// Strings and lists of bytes.
    Short,
    Handles,
}

impl<'a> Arguments<'a> {
    pub fn new(
        offer: &'a Offer,
        function: &Function,
        bytes: u32,
        encoding: StringEncoding,
    ) -> Self {
        let mut arguments = Arguments {
            offer,
            bytes,
            encoding,
            values: Vec::new(),
            fill: Fill::Bytes,
            has_lists: false,
        };
        for param in &function.params {
            match param.name.as_str() {
                // One past the end would be an error before anything is done.
                "offset" => arguments.values.push(Value::Number(0)),
                "len" => {
                    arguments.has_lists = true;
                    arguments.values.push(Value::Number(bytes.into()));
                }
                _ => arguments.push(&param.ty),
            }
        }
        arguments
    }

    /// The instructions that push them.
    pub fn instructions(&self, function: &Function) -> String {
        let resolve = &self.offer.resolve;
        let signature = resolve.wasm_signature(AbiVariant::GuestImport, function);
        assert!(!signature.indirect_params, "{}", function.name);
        let handles = self.values.iter().filter_map(|value| match value {
            Value::Handle(of) => Some(of.as_str()),
            Value::Number(_) => None,
        });
        let first = handles.into_iter().next();
        let pushed = self.values.iter().zip(signature.params);
        let pushed = pushed.map(|(value, ty)| match (value, ty) {
            (Value::Handle(of), _) if Some(of.as_str()) == first => "global.get $handle".to_owned(),
            (Value::Handle(of), _) => format!("call ${of}"),
            (Value::Number(it), WasmType::I64 | WasmType::PointerOrI64) => {
                format!("i64.const {it}")
            }
            (Value::Number(it), WasmType::F32 | WasmType::F64) => panic!("{it} is a float"),
            (Value::Number(it), _) => format!("i32.const {}", *it as i32),
        });
        pushed.collect::<Vec<_>>().join("\n")
    }

    fn push(&mut self, ty: &Type) {
        let Type::Id(id) = ty else {
            return self.push_plain(*ty);
        };
        let offer = self.offer;
        match &offer.resolve.types[*id].kind {
            TypeDefKind::Type(of) => self.push(of),
            TypeDefKind::Handle(_) => {
                let of = offer.resource(ty).unwrap().to_owned();
                self.values.push(Value::Handle(of));
            }
            TypeDefKind::List(of) => self.push_list(of),
            TypeDefKind::Record(it) => it.fields.iter().for_each(|field| self.push(&field.ty)),
            TypeDefKind::Tuple(it) => it.types.iter().for_each(|ty| self.push(ty)),
            TypeDefKind::Option(of) => self.push_case(ty, 1, Some(of)),
            TypeDefKind::Result(_) => self.push_case(ty, 0, None),
            TypeDefKind::Variant(variant) => {
                // The case with the most data.
                let length = |of: &Option<Type>| of.as_ref().map_or(0, |of| offer.flat_length(of));
                let cases = variant.cases.iter().map(|case| case.ty).enumerate();
                let (case, of) = cases.max_by_key(|(_, of)| length(of)).unwrap();
                self.push_case(ty, case, of.as_ref());
            }
            TypeDefKind::Flags(_) | TypeDefKind::Enum(_) => self.values.push(Value::Number(0)),
            other => panic!("{other:?}"),
        }
    }

    fn push_plain(&mut self, ty: Type) {
        match ty {
            Type::String => {
                let unit = match self.encoding {
                    StringEncoding::UTF8 => 1,
                    _ => 2,
                };
                self.push_pair(self.bytes / unit);
            }
            Type::Bool => self.values.push(Value::Number(1)),
            // The largest.
            _ => self.values.push(Value::Number(-1)),
        }
    }

    fn push_list(&mut self, of: &Type) {
        self.fill = match (of, self.offer.resource(of)) {
            (Type::U8, _) => self.fill,
            (_, Some(_)) => Fill::Handles,
            (_, None) => Fill::Short,
        };
        self.push_pair(self.bytes / self.offer.size(of));
    }

    fn push_pair(&mut self, length: u32) {
        self.has_lists = true;
        let pair = [LISTS, length].map(|it| Value::Number(it.into()));
        self.values.extend(pair);
    }

    fn push_case(&mut self, whole: &Type, case: usize, of: Option<&Type>) {
        let end = self.values.len() + self.offer.flat_length(whole);
        self.values.push(Value::Number(case as i64));
        if let Some(of) = of {
            self.push(of);
        }
        self.values.resize(end, Value::Number(0));
    }
}
