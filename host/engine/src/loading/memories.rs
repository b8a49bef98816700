//! Counts the slots that a connection of a handler needs, before there is an engine to load it:
//! the pool is sized by that.

use super::load::LoadFault;
use super::source::HandlerSource;
use crate::Engine;
use crate::MAX_MEMORIES;
use system::trust::Trust;
use wasmparser::{Parser, Payload};

impl HandlerSource {
    /// The memories of one connection's instances, from the handler's files. An unreadable file
    /// counts as one: loading reports the error. Blocks.
    pub fn memories(&self, trust: &Trust) -> usize {
        let components = self.components().iter();
        let memories = components.map(|it| it.read(trust).map_or(1, |binary| count(&binary)));
        memories.sum()
    }
}

impl Engine {
    /// Tells the pool how many slots each connection of a handler needs, if it has enough.
    pub(crate) fn expect_slots(&self, needed: usize) -> Result<(), LoadFault> {
        let total = self.slots().total;
        if needed > total as usize {
            return Err(LoadFault::Slots { needed, total });
        }
        self.shares.streams.expect(needed);
        Ok(())
    }
}

/// The memories that a component's modules define, each usually instantiated once.
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
