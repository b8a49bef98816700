//! How many places a connection will take, told before there is an engine that could load its handler: the engine's pool
//! is sized by it.

use super::load::LoadFault;
use super::source::HandlerSource;
use crate::Engine;
use crate::MAX_MEMORIES;
use system::trust::Trust;
use wasmparser::{Parser, Payload};

impl HandlerSource {
    /// How many memories the instances of one connection have, as far as its files tell. What can't be read has one:
    /// loading it will say why. Blocks.
    pub fn memories(&self, trust: &Trust) -> usize {
        match self {
            HandlerSource::Pipeline(files) => {
                let stages = files.iter().cloned().map(HandlerSource::File);
                stages.map(|stage| stage.memories(trust)).sum()
            }
            _ => self.read(trust).map_or(1, |binary| count(&binary)),
        }
    }
}

impl Engine {
    /// Tells the pool what each connection of a handler is going to take, if there is as much.
    pub(crate) fn expect_places(&self, needed: usize) -> Result<(), LoadFault> {
        let total = self.places().total;
        if needed > total as usize {
            return Err(LoadFault::Places { needed, total });
        }
        self.shares.streams.expect(needed);
        Ok(())
    }
}

/// The memories that the modules of a component define, each of which is usually instantiated once.
fn count(binary: &[u8]) -> usize {
    let payloads = Parser::new(0).parse_all(binary).flatten();
    let memories = payloads.map(|payload| match payload {
        Payload::MemorySection(memories) => memories.count() as usize,
        _ => 0,
    });
    memories.sum::<usize>().clamp(1, MAX_MEMORIES as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memories(text: &str) -> usize {
        count(&wat::parse_str(text).unwrap())
    }

    #[test]
    fn the_memories_of_all_modules_count() {
        assert_eq!(memories("(component)"), 1);
        assert_eq!(memories("(component (core module (memory 1)))"), 1);
        let module = "(core module (memory 1))";
        let two = format!("(component {module} (component {module}))");
        assert_eq!(memories(&two), 2);
        assert_eq!(memories(&format!("(component {})", module.repeat(9))), 4);
        assert_eq!(count(b"no component"), 1);
    }
}
