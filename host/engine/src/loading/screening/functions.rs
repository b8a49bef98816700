//! How much work it is to compile a function. The formula and its factors fit what the compiler was measured to
//! take for the worst functions there are of each kind, in microseconds.

use wasmparser::{
    BlockType, CompositeInnerType, FunctionBody, FunctionSectionReader, ImportSectionReader,
    Operator, Result, TypeRef, TypeSectionReader,
};

/// What each function takes, however small it is: as much of this is for the memory it takes as for the time.
const FUNCTION_WORK: u64 = 1000;
/// What each type and import takes, and each value in a type.
const TYPE_WORK: u64 = 20;
const IMPORT_WORK: u64 = 20;
const VALUE_TYPE_WORK: u64 = 25;
/// What a call takes, and each value that it hands over in either direction.
const CALL_WORK: u64 = 10;
const SLOT_WORK: u64 = 10;
/// Where ways join, each local may need a value of its own: so many of them are one unit.
const JOINED_LOCALS: u64 = 12;
/// Loops are compared with each other, and those in one another with all around them.
const COMPARED_LOOPS: u64 = 10;
const NESTED_LOOPS: u64 = 700;

/// The functions of one module.
#[derive(Default)]
pub(super) struct Functions {
    /// How many parameters and results a function of each type has.
    types: Vec<u64>,
    /// The types of all functions, imported ones first.
    functions: Vec<u32>,
    /// The place of the next body's function.
    next: usize,
}

/// What counts in one function.
#[derive(Default)]
struct Tally {
    locals: u64,
    calls: u64,
    /// Values handed over in calls.
    slots: u64,
    /// Ways that part and join.
    branches: u64,
    /// The most parameters and results of a block.
    widest_block: u64,
    loops: u64,
    /// How many loops are around each other, at most.
    nested_loops: u64,
}

impl Functions {
    /// Notes a module's types, and returns the work that they are.
    pub(super) fn note_types(&mut self, types: TypeSectionReader<'_>) -> Result<u64> {
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

    /// Notes a module's imports, and returns the work that they are.
    pub(super) fn note_imports(&mut self, imports: ImportSectionReader<'_>) -> Result<u64> {
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

    /// Notes the types of a module's own functions, and returns the work that they are apart from their bodies.
    pub(super) fn note_functions(&mut self, defined: FunctionSectionReader<'_>) -> Result<u64> {
        let work = u64::from(defined.count()) * FUNCTION_WORK;
        for index in defined {
            self.functions.push(index?);
        }
        Ok(work)
    }

    /// The work of the next function, whose body this is. A unit is about what a byte of ordinary code takes: a
    /// microsecond.
    pub(super) fn work(&mut self, body: &FunctionBody<'_>) -> Result<u64> {
        let mut tally = Tally {
            locals: self.slots_of_function(self.next),
            ..Tally::default()
        };
        self.next += 1;
        for group in body.get_locals_reader()? {
            tally.locals += u64::from(group?.0);
        }
        // Whether each block around is a loop.
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
            // The compiler makes calls of them, after checks.
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

    /// None that there is has a bad index: that is for the compiler to refuse.
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
