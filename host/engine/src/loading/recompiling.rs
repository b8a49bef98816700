//! Compiled functions, so that only changed functions of a handler's next version are compiled.
//!
//! A small edit changes little of a component that includes its language's engine or runtime.
//! Functions are kept in memory, only for watched handlers: what a process has compiled itself
//! needs no trust.

use connection::limits::MAX_COMPILED_FUNCTION_BYTES;
use parking_lot::{Mutex, MutexGuard};
use std::borrow::Cow;
use std::collections::HashMap;
use wasmtime::CacheStore;

/// Compiled functions, by what they were compiled from.
#[derive(Debug, Default)]
pub struct CompiledFunctions(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    functions: HashMap<Vec<u8>, Vec<u8>>,
    bytes: usize,
}

impl CompiledFunctions {
    /// Appends all functions to `bytes`, for [`CompiledFunctions::read`].
    pub fn write(&self, bytes: &mut Vec<u8>) {
        let kept = self.kept();
        for part in kept.functions.iter().flat_map(|(key, value)| [key, value]) {
            append(bytes, part);
        }
    }

    /// Reads written functions; `None` if the input is truncated.
    pub fn read(mut bytes: &[u8]) -> Option<Self> {
        let mut kept = Kept::default();
        while !bytes.is_empty() {
            let (key, value) = (take(&mut bytes)?, take(&mut bytes)?);
            kept.bytes += key.len() + value.len();
            kept.functions.insert(key.to_owned(), value.to_owned());
        }
        Some(CompiledFunctions(Mutex::new(kept)))
    }

    /// Whether there are no functions.
    pub fn is_empty(&self) -> bool {
        self.kept().functions.is_empty()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock()
    }
}

/// Appends the length of `part`, and `part`.
pub fn append(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend((part.len() as u64).to_le_bytes());
    bytes.extend(part);
}

/// Removes a part written by [`append`] from the front of `bytes`.
pub fn take<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (part, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    Some(part)
}

impl CacheStore for CompiledFunctions {
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        let found = self.kept().functions.get(key).cloned();
        found.map(Cow::Owned)
    }

    fn insert(&self, key: &[u8], value: Vec<u8>) -> bool {
        let mut kept = self.kept();
        let bytes = key.len() + value.len();
        if kept.bytes + bytes > MAX_COMPILED_FUNCTION_BYTES {
            *kept = Kept::default();
        }
        kept.bytes += bytes;
        kept.functions.insert(key.to_owned(), value);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use wasmtime::component::Component;
    use wasmtime::{Config, Engine};

    #[test]
    fn only_changed_functions_are_compiled_again() {
        let functions = Arc::new(CompiledFunctions::default());
        let mut config = Config::new();
        config
            // In parallel, up to a fourth of the unchanged functions would be compiled again, a
            // different part each time.
            .parallel_compilation(false)
            .enable_incremental_compilation(functions.clone())
            .unwrap();
        let wasm = Engine::new(&config).unwrap();
        let compile = |data: &str, number: u32| {
            let engine: String = (0..100)
                .map(|it| {
                    format!("(func (export \"{it}\") (result i32) (i32.load (i32.const {it})))")
                })
                .collect();
            let text = format!(
                r#"(component (core module
                     (memory 1)
                     (data (i32.const 0) "{data}")
                     {engine}
                     (func (export "edited") (result i32) (i32.const {number}))))"#
            );
            Component::new(&wasm, wat::parse_str(text).unwrap()).unwrap();
            functions.kept().functions.len()
        };
        let first = compile("one", 1);
        assert!(first > 100, "{first}");
        assert_eq!(compile("two", 2), first + 1);
    }

    #[test]
    fn compiled_functions_are_found_until_the_cache_is_full() {
        let functions = CompiledFunctions::default();
        assert!(functions.get(b"one").is_none());
        functions.insert(b"one", vec![1; MAX_COMPILED_FUNCTION_BYTES / 2]);
        assert_eq!(functions.get(b"one").unwrap()[0], 1);
        functions.insert(b"two", vec![2; MAX_COMPILED_FUNCTION_BYTES / 2]);
        assert!(functions.get(b"one").is_none());
        assert_eq!(functions.get(b"two").unwrap()[0], 2);
    }

    #[test]
    fn written_functions_are_read_and_truncated_ones_refused() {
        let functions = CompiledFunctions::default();
        functions.insert(b"one", vec![1; 3]);
        functions.insert(b"two", vec![]);
        let mut written = Vec::new();
        functions.write(&mut written);
        let read = CompiledFunctions::read(&written).unwrap();
        assert_eq!(read.kept().functions, functions.kept().functions);
        assert_eq!(read.kept().bytes, functions.kept().bytes);
        assert!(CompiledFunctions::read(&written[..written.len() - 1]).is_none());
        assert!(CompiledFunctions::read(&[]).unwrap().is_empty());
    }
}
