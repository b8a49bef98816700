//! Estimates the work to compile functions. The formula fits measurements of the worst functions of
//! each kind, in microseconds.

use wasmparser::{
    BlockType, CompositeInnerType, FunctionBody, FunctionSectionReader, ImportSectionReader,
    Operator, Result, TypeRef, TypeSectionReader,
};

/// The work of the smallest function, as much for its memory as for its time.
const FUNCTION_WORK: u64 = 1000;
/// The work of a type, an import, and each value in a type.
const TYPE_WORK: u64 = 20;
const IMPORT_WORK: u64 = 20;
const VALUE_TYPE_WORK: u64 = 25;
/// The work of a call, and of each value passed in either direction.
const CALL_WORK: u64 = 10;
const SLOT_WORK: u64 = 10;
/// Where branches join, each local may need a new value: this many are one unit.
const JOINED_LOCALS: u64 = 12;
/// Loops are compared with each other, and nested loops with all around them.
const COMPARED_LOOPS: u64 = 10;
const NESTED_LOOPS: u64 = 700;

/// The functions of one module.
#[derive(Default)]
pub(crate) struct Functions {
    /// The number of parameters and results of each type.
    types: Vec<u64>,
    /// The type of each function, imported ones first.
    functions: Vec<u32>,
    /// The index of the next body's function.
    next: usize,
}

/// The counts of one function.
#[derive(Default)]
struct Tally {
    locals: u64,
    calls: u64,
    /// Values passed in calls.
    slots: u64,
    /// Branches.
    branches: u64,
    /// The most parameters and results of a block.
    widest_block: u64,
    loops: u64,
    /// The deepest nesting of loops.
    nested_loops: u64,
}

impl Functions {
    /// Adds a module's types, and returns their work.
    pub(crate) fn note_types(&mut self, types: TypeSectionReader<'_>) -> Result<u64> {
        for group in types {
            for sub_type in group?.into_types() {
                self.types.push(match sub_type.composite_type.inner {
                    CompositeInnerType::Func(it) => (it.params().len() + it.results().len()) as u64,
                    _ => 0,
                });
            }
        }
        let values: u64 = self.types.iter().sum();
        Ok(self.types.len() as u64 * TYPE_WORK + values * VALUE_TYPE_WORK)
    }

    /// Adds a module's imports, and returns their work.
    pub(crate) fn note_imports(&mut self, imports: ImportSectionReader<'_>) -> Result<u64> {
        let mut work = 0;
        for import in imports.into_imports() {
            work += IMPORT_WORK;
            if let TypeRef::Func(index) | TypeRef::FuncExact(index) = import?.ty {
                self.functions.push(index);
                self.next += 1;
            }
        }
        Ok(work)
    }

    /// Adds the types of a module's own functions, and returns their work without bodies.
    pub(crate) fn note_functions(&mut self, defined: FunctionSectionReader<'_>) -> Result<u64> {
        let work = u64::from(defined.count()) * FUNCTION_WORK;
        for index in defined {
            self.functions.push(index?);
        }
        Ok(work)
    }

    /// The work of the next function, with this body. A unit is about the work of a byte of
    /// ordinary code: a microsecond.
    pub(crate) fn work(&mut self, body: &FunctionBody<'_>) -> Result<u64> {
        let mut tally = Tally {
            locals: self.slots_of_function(self.next),
            ..Tally::default()
        };
        self.next += 1;
        for group in body.get_locals_reader()? {
            tally.locals += u64::from(group?.0);
        }
        // For each enclosing block, whether it is a loop.
        let mut around = Vec::new();
        let mut loops_around = 0;
        for operator in body.get_operators_reader()? {
            let operator = operator?;
            self.count(&operator, &mut tally);
            match operator {
                Operator::Loop { .. } => {
                    around.push(true);
                    loops_around += 1;
                    tally.nested_loops = tally.nested_loops.max(loops_around);
                }
                Operator::Block { .. } | Operator::If { .. } | Operator::TryTable { .. } => {
                    around.push(false);
                }
                Operator::End => loops_around -= u64::from(around.pop() == Some(true)),
                _ => {}
            }
        }
        Ok((body.range().len() as u64).saturating_add(tally.work()))
    }

    fn count(&self, operator: &Operator<'_>, tally: &mut Tally) {
        let called = match *operator {
            Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                Some(self.slots_of_function(function_index as usize))
            }
            Operator::CallIndirect { type_index, .. }
            | Operator::ReturnCallIndirect { type_index, .. } => Some(self.slots_of(type_index)),
            _ => None,
        };
        if let Some(slots) = called {
            tally.calls += 1;
            tally.slots += slots;
        }
        match operator {
            Operator::Block { blockty } | Operator::Loop { blockty } | Operator::If { blockty } => {
                tally.branches += 1;
                tally.loops += u64::from(matches!(operator, Operator::Loop { .. }));
                let width = match blockty {
                    BlockType::FuncType(index) => self.slots_of(*index),
                    BlockType::Empty | BlockType::Type(_) => 0,
                };
                tally.widest_block = tally.widest_block.max(width);
            }
            // The compiler turns these into calls with checks.
            Operator::MemoryFill { .. }
            | Operator::MemoryCopy { .. }
            | Operator::MemoryInit { .. }
            | Operator::TableFill { .. }
            | Operator::TableCopy { .. }
            | Operator::TableInit { .. }
            | Operator::TableGrow { .. } => {
                tally.calls += 1;
                tally.slots += 1;
            }
            Operator::Else | Operator::Br { .. } | Operator::BrIf { .. } => tally.branches += 1,
            Operator::BrTable { targets } => tally.branches += u64::from(targets.len()) + 1,
            _ => {}
        }
    }

    fn slots_of_function(&self, index: usize) -> u64 {
        self.functions
            .get(index)
            .map_or(0, |index| self.slots_of(*index))
    }

    /// An invalid index counts as 0: the compiler refuses it later.
    fn slots_of(&self, type_index: u32) -> u64 {
        self.types.get(type_index as usize).copied().unwrap_or(0)
    }
}

impl Tally {
    fn work(&self) -> u64 {
        let width = self.locals.saturating_add(self.widest_block);
        let parts = [
            self.calls * CALL_WORK,
            self.slots * SLOT_WORK,
            self.branches.saturating_mul(width) / JOINED_LOCALS,
            self.loops * self.loops / COMPARED_LOOPS,
            self.nested_loops.saturating_pow(3) / NESTED_LOOPS,
        ];
        parts.into_iter().fold(0, u64::saturating_add)
    }
}
