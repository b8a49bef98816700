//! Generates components that pass values to each other, and that import instances.

use super::choices::Choices;

/// A type, flattened to parameters of a core function.
type Flat = Vec<&'static str>;

/// More are passed in memory (component model specification, "Flattening").
const MAX_FLAT_PARAMS: usize = 16;

const PRIMITIVES: [(&str, &[&str]); 8] = [
    ("u8", &["i32"]),
    ("bool", &["i32"]),
    ("char", &["i32"]),
    ("s64", &["i64"]),
    ("f32", &["f32"]),
    ("f64", &["f64"]),
    ("string", &["i32", "i32"]),
    ("u64", &["i64"]),
];

const ENCODINGS: [&str; 3] = ["utf8", "utf16", "latin1+utf16"];

/// A named type.
#[derive(Clone)]
struct Type {
    name: String,
    flat: Flat,
}

/// Types that refer to each other.
struct Types {
    known: Vec<Type>,
    /// The definitions of types that are not primitive.
    defined: Vec<String>,
}

impl Types {
    fn choose(choices: &mut Choices) -> Self {
        let primitive = |(name, flat): (&str, &[&'static str])| Type {
            name: name.to_owned(),
            flat: flat.to_vec(),
        };
        let mut types = Types {
            known: PRIMITIVES.into_iter().map(primitive).collect(),
            defined: Vec::new(),
        };
        for _ in 0..1 + choices.below(8) {
            types.define(choices);
        }
        types
    }

    fn any(&self, choices: &mut Choices) -> &Type {
        // The last ones are the largest.
        let back = choices.below(self.known.len());
        &self.known[self.known.len() - 1 - back]
    }

    fn define(&mut self, choices: &mut Choices) {
        let part = self.any(choices).clone();
        let other = self.any(choices).clone();
        let (Type { name, flat }, names) = (part, |count: usize| {
            (0..count)
                .map(|it| format!(" \"c{it}\""))
                .collect::<String>()
        });
        let (text, flat) = match choices.below(8) {
            0 => {
                let count = 1 + choices.count(900);
                let copies = format!(" {name}").repeat(count);
                // Beyond the limit, the number no longer matters.
                let flat = flat.repeat(count.min(MAX_FLAT_PARAMS + 1));
                (format!("(tuple{copies})"), flat)
            }
            1 => {
                let flat = [flat, other.flat].concat();
                (format!("(tuple {name} {})", other.name), flat)
            }
            2 => (format!("(list {name})"), vec!["i32", "i32"]),
            3 => (format!("(option {name})"), cases(&[flat])),
            4 => {
                let text = format!("(result {name} (error {}))", other.name);
                (text, cases(&[flat, other.flat]))
            }
            5 => {
                let names = (0..choices.count(1000)).map(|it| format!(" (case \"c{it}\")"));
                let text = format!("(variant (case \"c\" {name}){})", names.collect::<String>());
                (text, cases(&[flat]))
            }
            6 => (
                format!("(enum \"c\"{})", names(choices.count(1000))),
                vec!["i32"],
            ),
            _ => (
                format!("(flags \"c\"{})", names(choices.below(31))),
                vec!["i32"],
            ),
        };
        let flat = flat.into_iter().take(MAX_FLAT_PARAMS + 1).collect();
        let name = format!("$n{}", self.defined.len());
        self.defined.push(text);
        self.known.push(Type { name, flat });
    }

    /// The definitions, named as required for imports and exports.
    fn text(&self, named: impl Fn(usize) -> String) -> String {
        let definitions = self.defined.iter().enumerate();
        let definitions =
            definitions.map(|(at, text)| format!("(type $t{at} {text}) {}\n", named(at)));
        definitions.collect()
    }
}

/// Flattens the cases of a variant: all share the same slots.
fn cases(payloads: &[Flat]) -> Flat {
    let width = payloads.iter().map(Vec::len).max().unwrap_or(0);
    let joined = (0..width).map(|at| {
        let mut here = payloads.iter().filter_map(|flat| flat.get(at).copied());
        let first = here.next().unwrap_or("i32");
        here.fold(first, |a, b| match (a, b) {
            (a, b) if a == b => a,
            ("i32", "f32") | ("f32", "i32") => "i32",
            _ => "i64",
        })
    });
    ["i32"].into_iter().chain(joined).collect()
}

/// A function of these types: in text, and as a core function.
fn function(types: &Types, choices: &mut Choices) -> (String, String) {
    let params: Vec<_> = (0..choices.below(3))
        .map(|_| types.any(choices).clone())
        .collect();
    let result = (choices.below(2) == 0).then(|| types.any(choices).clone());
    let named = params.iter().enumerate();
    let named = named.map(|(at, ty)| format!("(param \"p{at}\" {}) ", ty.name));
    let mut text: String = named.collect();
    let mut flat: Flat = params.into_iter().flat_map(|ty| ty.flat).collect();
    if flat.len() > MAX_FLAT_PARAMS {
        flat = vec!["i32"];
    }
    let mut core = format!("(param {})", flat.join(" "));
    if let Some(Type { name, flat }) = result {
        text += &format!("(result {name})");
        core += &match flat.as_slice() {
            [one] => format!("(result {one})"),
            _ => "(result i32)".to_owned(),
        };
    }
    (text, core)
}

/// A module with these functions and what lifting and lowering need, as an instance.
fn instance(functions: &str) -> String {
    format!(
        "(core module $m (memory (export \"m\") 1)
           (func (export \"r\") (param i32 i32 i32 i32) (result i32) unreachable) {functions})
         (core instance $i (instantiate $m))
         (alias core export $i \"m\" (core memory $m))
         (alias core export $i \"r\" (core func $r))\n"
    )
}

/// A component that others call.
pub fn component(choices: &mut Choices) -> String {
    let types = Types::choose(choices);
    let kinds: Vec<_> = (0..1 + choices.below(4))
        .map(|_| function(&types, choices))
        .collect();
    let count = 1 + choices.count(500);
    let (lifting, lowering) = (choices.pick(&ENCODINGS), choices.pick(&ENCODINGS));
    let callers = 1 + choices.below(6);
    let each = |text: &dyn Fn(usize, &str, &str) -> String| -> String {
        let texts = (0..count).map(|at| {
            let (function, core) = &kinds[at % kinds.len()];
            text(at, function, core)
        });
        texts.collect()
    };
    let core = each(&|at, _, core| format!("(func (export \"f{at}\") {core} unreachable)\n"));
    let lifted = each(&|at, function, _| {
        format!(
            "(alias core export $i \"f{at}\" (core func $c{at}))
             (func (export \"f{at}\") {function}
               (canon lift (core func $c{at}) (memory $m) (realloc $r) string-encoding={lifting}))\n"
        )
    });
    let imported =
        each(&|at, function, _| format!("(import \"f{at}\" (func $f{at} {function}))\n"));
    let lowered = each(&|at, _, _| {
        format!(
            "(core func (canon lower (func $f{at}) (memory $m) (realloc $r) string-encoding={lowering}))\n"
        )
    });
    let given = each(&|at, _, _| format!("(with \"f{at}\" (func $a \"f{at}\"))"));
    let exporting = types.text(|at| format!("(export $n{at} \"t{at}\" (type $t{at}))"));
    let importing = types.text(|at| format!("(import \"t{at}\" (type $n{at} (eq $t{at})))"));
    let given_types: String = (0..types.defined.len())
        .map(|at| format!("(with \"t{at}\" (type $a \"t{at}\"))"))
        .collect();
    let instances = format!("(instance (instantiate $b {given_types} {given}))").repeat(callers);
    let (called, caller) = (instance(&core), instance(""));
    format!(
        "(component
           (component $a {exporting} {called} {lifted})
           (component $b {importing} {imported} {caller} {lowered})
           (instance $a (instantiate $a)) {instances})"
    )
}

/// A component that imports instances, with nested ones that do too.
pub fn imports(choices: &mut Choices) -> String {
    let types = Types::choose(choices);
    let exporting = types.text(|at| format!("(export \"t{at}\" (type $n{at} (eq $t{at})))"));
    let functions: String = (0..choices.count(2000))
        .map(|at| {
            let ty = if choices.below(2) == 0 {
                "$o"
            } else {
                &types.any(choices).name
            };
            format!("(export \"f{at}\" (func (param \"p\" {ty})))\n")
        })
        .collect();
    let resource = match choices.below(2) {
        0 => "(export \"r\" (type $r (sub resource))) (type $o (own $r))",
        _ => "(type $o (list u8))",
    };
    let imports = |count: usize| -> String {
        let imports =
            (0..count).map(|at| format!("(import \"i{at}\" (instance $i{at} (type $i)))\n"));
        imports.collect()
    };
    let count = 1 + choices.count(900);
    // At most one: two of the same type, passed to one component, make the validator panic.
    let inner = choices.below(2);
    let given: String = (0..inner)
        .map(|at| format!("(with \"i{at}\" (instance $i{at}))"))
        .collect();
    let times = choices.count(60);
    let taken = format!("(instance (instantiate $c {given}))").repeat(times);
    let components = "(component (alias outer 1 $i (type $i)) (import \"i\" (instance (type $i))))"
        .repeat(choices.count(100));
    format!(
        "(component (type $i (instance {resource} {exporting} {functions}))
           (component $c (alias outer 1 $i (type $i)) {})
           {} {taken} {components})",
        imports(inner),
        imports(count),
    )
}
