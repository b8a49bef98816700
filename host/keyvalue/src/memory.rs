//! The key-value store in memory: for one host, and lost when it ends.

use super::{Mark, Page, StoreError, check_sum};
use connection::limits::{Limit, MAX_BATCH_KEYS};
use parking_lot::{Mutex, MutexGuard};
use std::collections::BTreeMap;
use std::ops::Bound;

/// The approximate overhead of an entry, in bytes.
const ENTRY_BYTES: usize = 128;

/// All keys with their values.
pub struct Memory {
    max_bytes: usize,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    entries: BTreeMap<String, Entry>,
    /// Their size in bytes.
    bytes: usize,
    /// The number of writes so far.
    writes: u64,
}

struct Entry {
    value: Vec<u8>,
    /// The number of the write: writing the same value again changes the mark.
    write: u64,
}

impl Memory {
    pub fn new(max_bytes: usize) -> Self {
        Memory {
            max_bytes,
            entries: Mutex::default(),
        }
    }

    /// A panic elsewhere leaves the map consistent.
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock()
    }

    pub fn get(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let entries = self.entries();
        let found = || keys.iter().map(|key| entries.entries.get(key));
        check_sum(found().flatten().map(|entry| entry.value.len()).sum())?;
        let values = found().map(|entry| entry.map(|entry| entry.value.clone()));
        Ok(values.collect())
    }

    pub fn set(&self, entries: Vec<(String, Vec<u8>)>) -> Result<(), StoreError> {
        // The last of several values for one key counts.
        let wanted: BTreeMap<_, _> = entries.into_iter().collect();
        let mut entries = self.entries();
        let more = wanted.iter().map(|(key, value)| size(key, value)).sum();
        let less = wanted.keys().map(|key| entries.size_of(key)).sum();
        entries.make_room(more, less, self.max_bytes)?;
        for (key, value) in wanted {
            entries.insert(key, value);
        }
        Ok(())
    }

    pub fn delete(&self, keys: &[String]) {
        let mut entries = self.entries();
        for key in keys {
            entries.bytes -= entries.size_of(key);
            entries.entries.remove(key);
        }
    }

    pub fn has(&self, key: &str) -> bool {
        self.entries().entries.contains_key(key)
    }

    /// A cursor is the last key of the previous page.
    pub fn list(&self, prefix: &str, cursor: Option<String>) -> Page {
        let entries = self.entries();
        let begin = match &cursor {
            Some(last) => Bound::Excluded(format!("{prefix}{last}")),
            None => Bound::Included(prefix.to_owned()),
        };
        let there = entries.entries.range((begin, Bound::Unbounded));
        let mut keys: Vec<_> = there
            .map_while(|(key, _)| key.strip_prefix(prefix))
            .take(MAX_BATCH_KEYS + 1)
            .map(str::to_owned)
            .collect();
        let goes_on = keys.len() > MAX_BATCH_KEYS;
        keys.truncate(MAX_BATCH_KEYS);
        Page {
            cursor: keys.last().filter(|_| goes_on).cloned(),
            keys,
        }
    }

    pub fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        let mut entries = self.entries();
        let number = match entries.entries.get(key) {
            Some(entry) => number(&entry.value).ok_or(StoreError::NoNumber)?,
            None => 0,
        };
        let sum = number.checked_add(delta).ok_or(StoreError::NoNumber)?;
        let value = sum.to_string().into_bytes();
        let less = entries.size_of(key);
        entries.make_room(size(key, &value), less, self.max_bytes)?;
        entries.insert(key.to_owned(), value);
        Ok(sum)
    }

    pub fn look(&self, key: &str) -> (Option<Vec<u8>>, Mark) {
        let entries = self.entries();
        let entry = entries.entries.get(key);
        (entry.map(|entry| entry.value.clone()), entries.mark(key))
    }

    pub fn swap(&self, key: &str, mark: &Mark, value: Vec<u8>) -> Result<bool, StoreError> {
        let mut entries = self.entries();
        if entries.mark(key) != *mark {
            return Ok(false);
        }
        let less = entries.size_of(key);
        entries.make_room(size(key, &value), less, self.max_bytes)?;
        entries.insert(key.to_owned(), value);
        Ok(true)
    }
}

impl Entries {
    fn size_of(&self, key: &str) -> usize {
        let entry = self.entries.get(key);
        entry.map_or(0, |entry| size(key, &entry.value))
    }

    /// Accounts for `more` bytes instead of `less`.
    fn make_room(&mut self, more: usize, less: usize, max: usize) -> Result<(), StoreError> {
        let bytes = self.bytes - less + more;
        if bytes > max {
            Limit::MaxKeyvalue.reached();
            return Err(StoreError::Full(max));
        }
        self.bytes = bytes;
        Ok(())
    }

    fn insert(&mut self, key: String, value: Vec<u8>) {
        self.writes += 1;
        let write = self.writes;
        self.entries.insert(key, Entry { value, write });
    }

    /// Write numbers start at 1.
    fn mark(&self, key: &str) -> Mark {
        let write = self.entries.get(key).map_or(0, |entry| entry.write);
        Mark(write.to_be_bytes().into())
    }
}

fn size(key: &str, value: &[u8]) -> usize {
    key.len() + value.len() + ENTRY_BYTES
}

/// Parses numbers like Redis: no spaces, plus signs or leading zeros.
fn number(value: &[u8]) -> Option<i64> {
    let text = str::from_utf8(value).ok()?;
    let number: i64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> String {
        format!("b:{name}")
    }

    #[test]
    fn a_full_store_accepts_more_after_a_delete() {
        let memory = Memory::new(2 * (ENTRY_BYTES + 10));
        let entry = |name| vec![(key(name), vec![0; 7])];
        memory.set(entry("1")).unwrap();
        memory.set(entry("2")).unwrap();
        assert!(matches!(memory.set(entry("3")), Err(StoreError::Full(_))));
        assert!(memory.increment(&key("3"), 1).is_err());
        memory.set(entry("2")).unwrap();
        memory.delete(&[key("1"), key("1"), key("none")]);
        memory.set(entry("3")).unwrap();
        assert_eq!(memory.entries().bytes, memory.max_bytes);
    }

    #[test]
    fn a_batch_is_stored_completely_or_not_at_all() {
        let memory = Memory::new(2 * (ENTRY_BYTES + 10));
        let twice = vec![(key("1"), vec![1; 7]), (key("1"), vec![2; 7])];
        memory.set(twice).unwrap();
        assert_eq!(memory.get(&[key("1")]).unwrap(), [Some(vec![2; 7])]);
        let batch = vec![(key("2"), vec![0; 7]), (key("3"), vec![0; 7])];
        assert!(memory.set(batch).is_err());
        assert_eq!(memory.get(&[key("2"), key("3")]).unwrap(), [None, None]);
    }

    #[test]
    fn pages_join_into_all_keys_of_a_bucket() {
        let memory = Memory::new(usize::MAX);
        let all: Vec<_> = (0..2 * MAX_BATCH_KEYS)
            .map(|it| format!("{it:05}"))
            .collect();
        let entries = all.iter().map(|name| (key(name), Vec::new()));
        memory.set(entries.collect()).unwrap();
        memory
            .set(vec![
                ("a:1".into(), vec![]),
                ("b1".into(), vec![]),
                ("c:1".into(), vec![]),
            ])
            .unwrap();
        let (mut keys, mut cursor) = (Vec::new(), None);
        loop {
            let page = memory.list("b:", cursor);
            keys.extend(page.keys);
            match page.cursor {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(keys, all);
        assert_eq!(memory.list("d:", None), Page::default());
    }

    #[test]
    fn increment_changes_numbers_and_refuses_other_values() {
        let memory = Memory::new(1 << 20);
        assert_eq!(memory.increment("b:n", 5).unwrap(), 5);
        assert_eq!(memory.increment("b:n", -7).unwrap(), -2);
        assert_eq!(memory.get(&[key("n")]).unwrap(), [Some(b"-2".to_vec())]);
        for text in [
            "",
            "1.5",
            " 1",
            "+1",
            "01",
            "-0",
            "9223372036854775808",
            "\u{661}",
        ] {
            memory.set(vec![(key("t"), text.into())]).unwrap();
            assert!(memory.increment("b:t", 1).is_err(), "{text}");
        }
        memory
            .set(vec![(key("t"), i64::MAX.to_string().into())])
            .unwrap();
        assert!(matches!(
            memory.increment("b:t", 1),
            Err(StoreError::NoNumber)
        ));
    }

    #[test]
    fn compare_and_swap_needs_the_same_write() {
        let memory = Memory::new(1 << 20);
        let (nothing, none) = memory.look("b:k");
        assert_eq!(nothing, None);
        assert!(memory.swap("b:k", &none, b"1".to_vec()).unwrap());
        assert!(!memory.swap("b:k", &none, b"2".to_vec()).unwrap());
        let (value, mark) = memory.look("b:k");
        assert_eq!(value.unwrap(), b"1");
        // Writing the same value again is another write.
        memory.set(vec![(key("k"), b"1".to_vec())]).unwrap();
        assert!(!memory.swap("b:k", &mark, b"3".to_vec()).unwrap());
    }
}
