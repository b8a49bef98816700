//! Screens a component before it is compiled. Compiling cannot be interrupted, so a component that
//! would take too much time or memory is refused: an ordinary handler takes seconds, and a hostile
//! one of a few kilobytes could take days.
//!
//! The compiler decides whether the component is valid; this only estimates its cost. Must not know
//! the compiler: `engine` tests that the estimates hold.

#![forbid(unsafe_code)]

mod expansion;
mod features;
mod functions;
pub mod panics;
mod sizes;
mod start;
mod transfers;
mod types;

use connection::limits::{
    Limit, MAX_COMPILE_WORK, MAX_COMPONENT_DEPTH, MAX_COMPONENT_PARTS, MAX_CORE_INSTANCES,
    MAX_EXPANDED_BYTES, MAX_FUNCTION_WORK, MAX_START_WORK,
};
use expansion::Expansion;
pub use features::Feature;
use functions::Functions;
use panics::Panic;
use wasmparser::{BinaryReaderError, Parser, Payload};

/// Why a component is not compiled.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    #[error("is not a valid component, or is truncated: {0}")]
    Malformed(String),
    #[error(
        "has a function (number {0} among those not imported) that would take longer to compile \
         than allowed; hint: split it, with fewer locals, loops and branches in each part"
    )]
    Function(u64),
    #[error(
        "has a module that initializes too many globals, segments and elements at its start: \
         about {} are allowed",
        MAX_START_WORK / start::VALUE_WORK
    )]
    Start,
    #[error("would take longer to compile than allowed; hint: remove unused code")]
    Work,
    #[error(
        "declares too much: imports, exports, calls and types, counted for each instantiation of \
         a component, come to more than {MAX_EXPANDED_BYTES} bytes"
    )]
    Expansion,
    #[error("instantiates more than {MAX_CORE_INSTANCES} modules")]
    Instances,
    #[error(
        "has a type that declares an instance or a component, which this host does not support; \
         hint: declare functions and types only"
    )]
    NestedInstance,
    #[error(transparent)]
    Panic(#[from] Panic),
    #[error("has more than {MAX_COMPONENT_PARTS} components and modules")]
    Parts,
    #[error("nests components or types more than {MAX_COMPONENT_DEPTH} deep")]
    Depth,
    #[error(
        "instantiates a component that it imports or receives, which this host does not support; \
         hint: embed that component"
    )]
    ForeignComponent,
}

impl Unfit {
    /// Whether it exceeds a limit, rather than being invalid.
    pub fn is_over_a_limit(&self) -> bool {
        !matches!(self, Unfit::Malformed(_) | Unfit::Panic(_))
    }
}

impl From<BinaryReaderError> for Unfit {
    fn from(error: BinaryReaderError) -> Self {
        // The error of a wrong header spans several lines.
        let words: Vec<_> = error
            .to_string()
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        Unfit::Malformed(words.join(" "))
    }
}

/// The estimated cost of compiling a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight {
    /// The work of its functions and module starts, in about microseconds.
    pub work: u64,
    /// Its expanded size in bytes, with nested components counted for each instantiation.
    pub expanded_bytes: u64,
}

/// Checks whether `component`, in binary form, may be compiled. Takes a few milliseconds per
/// megabyte.
pub fn screen(component: &[u8]) -> Result<Weight, Unfit> {
    let weighed = panics::catch(|| weigh(component))?;
    if weighed.as_ref().is_err_and(Unfit::is_over_a_limit) {
        Limit::Component.reached();
    }
    weighed
}

fn weigh(component: &[u8]) -> Result<Weight, Unfit> {
    let mut expansion = Expansion::of(component);
    let mut module = Module::default();
    let mut work = 0;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        expansion.note(&payload)?;
        if let Payload::ModuleSection { .. } = payload {
            module = Module::default();
        }
        work += module.work(payload)?;
        if work > MAX_COMPILE_WORK {
            return Err(Unfit::Work);
        }
    }
    Ok(Weight {
        work,
        expanded_bytes: expansion.total_bytes(),
    })
}

/// The module being screened.
#[derive(Default)]
struct Module {
    functions: Functions,
    /// The number of function bodies so far.
    bodies: u64,
    /// The work of its start.
    start: u64,
}

impl Module {
    /// The work of a section, or of one function of the code section.
    fn work(&mut self, section: Payload<'_>) -> Result<u64, Unfit> {
        let start = start::work(&section)?;
        self.start += start;
        if self.start > MAX_START_WORK {
            return Err(Unfit::Start);
        }
        let work = match section {
            Payload::TypeSection(types) => self.functions.note_types(types)?,
            Payload::ImportSection(imports) => self.functions.note_imports(imports)?,
            Payload::FunctionSection(defined) => self.functions.note_functions(defined)?,
            Payload::CodeSectionEntry(body) => {
                self.bodies += 1;
                let work = self.functions.work(&body)?;
                if work > MAX_FUNCTION_WORK {
                    return Err(Unfit::Function(self.bodies));
                }
                work
            }
            _ => 0,
        };
        Ok(start + work)
    }
}
