//! Looks a component through before it is compiled. Compiling cannot be interrupted, so what would take it too
//! long, or more memory than there is, is refused by what its bytes say: an ordinary handler takes seconds, and a
//! hostile one of a few kilobytes could take days.
//!
//! Whether the component is a valid one is for the compiler to say; this only weighs it.

mod expansion;
mod functions;
#[cfg(any(test, fuzzing))]
pub(crate) mod invariants;
mod sizes;
mod start;
mod transfers;
mod types;

use super::panics::{self, Panic};
use crate::MAX_CORE_INSTANCES;
use connection::limits::{
    Limit, MAX_COMPILE_WORK, MAX_COMPONENT_DEPTH, MAX_COMPONENT_PARTS, MAX_EXPANDED_BYTES,
    MAX_FUNCTION_WORK, MAX_START_WORK,
};
use expansion::Expansion;
use functions::Functions;
use wasmparser::{BinaryReaderError, Parser, Payload};

/// Why a component is not compiled.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    #[error("is not a valid component, or is cut short: {0}")]
    Malformed(String),
    #[error(
        "has a function (number {0} of those that are not imported) that would take longer to compile than one may: \
         split it into several, with fewer locals, loops and branches"
    )]
    Function(u64),
    #[error(
        "has a module with more globals, segments and elements to set at its start than one may: it may have some \
         {} of them",
        MAX_START_WORK / start::VALUE_WORK
    )]
    Start,
    #[error(
        "would take longer to compile than a component may: take out code that it does not use"
    )]
    Work,
    #[error(
        "imports, exports, calls or declares too much, or instantiates the components in it too often: that comes to \
         more than {MAX_EXPANDED_BYTES} bytes, those of a component counted whenever it is instantiated"
    )]
    Expansion,
    #[error("instantiates more than {MAX_CORE_INSTANCES} modules")]
    Instances,
    #[error(
        "has a type that declares an instance or a component, which this host does not do: declare functions and types \
         only"
    )]
    NestedInstance,
    #[error(transparent)]
    Panic(#[from] Panic),
    #[error("is made of more than {MAX_COMPONENT_PARTS} components and modules")]
    Parts,
    #[error("has components or types in each other, more than {MAX_COMPONENT_DEPTH} deep")]
    Depth,
    #[error(
        "instantiates a component that it imports or is given, which this host does not do: put that component in it"
    )]
    ForeignComponent,
}

impl Unfit {
    /// Whether it is too much of something, rather than wrong.
    pub(super) fn is_over_a_limit(&self) -> bool {
        !matches!(self, Unfit::Malformed(_) | Unfit::Panic(_))
    }
}

impl From<BinaryReaderError> for Unfit {
    fn from(error: BinaryReaderError) -> Self {
        // What a wrong header should have been is shown byte by byte, each on a line of its own.
        let words: Vec<_> = error
            .to_string()
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        Unfit::Malformed(words.join(" "))
    }
}

/// What it takes to compile a component, as far as its bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight {
    /// What its functions and the starts of its modules take, in about microseconds.
    pub work: u64,
    /// What it comes to, in bytes, with its components counted wherever they are instantiated.
    pub expanded_bytes: u64,
}

/// Says whether `component`, in binary form, may be compiled. Takes a few milliseconds for each megabyte.
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

/// The module that is looked through.
#[derive(Default)]
struct Module {
    functions: Functions,
    /// How many bodies of functions have come.
    bodies: u64,
    /// What its start takes.
    start: u64,
}

impl Module {
    /// The work that a section, or one function of the code section, adds.
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

#[cfg(test)]
mod tests;
