//! A hash table that can be traversed in steps while it changes, as SCAN requires.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

/// Cursors are hashes with this many bits: clients in JavaScript read them exactly.
const HASH_BITS: u32 = 52;

/// Entries in the order of their hashes. The hash is keyed: clients cannot choose keys that
/// collide.
pub struct Table<V> {
    buckets: BTreeMap<u64, Bucket<V>>,
    hasher: RandomState,
    len: usize,
}

/// The entries with one hash: nearly always one.
type Bucket<V> = Vec<(Vec<u8>, V)>;

impl<V> Table<V> {
    pub fn new() -> Self {
        Table {
            buckets: BTreeMap::new(),
            hasher: RandomState::new(),
            len: 0,
        }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn get(&self, key: &[u8]) -> Option<&V> {
        let bucket = self.buckets.get(&self.hash(key))?;
        bucket.iter().find(|(own, _)| own == key).map(|(_, v)| v)
    }

    pub fn get_mut(&mut self, key: &[u8]) -> Option<&mut V> {
        let bucket = self.buckets.get_mut(&self.hash(key))?;
        let mut entries = bucket.iter_mut();
        entries.find(|(own, _)| own == key).map(|(_, v)| v)
    }

    /// Sets the value of a key, and returns the previous one.
    pub fn insert(&mut self, key: &[u8], value: V) -> Option<V> {
        if let Some(old) = self.get_mut(key) {
            return Some(std::mem::replace(old, value));
        }
        // Exactly one: a vector's first growth would allocate room for four.
        let bucket = self.buckets.entry(self.hash(key)).or_default();
        bucket.reserve_exact(1);
        bucket.push((key.to_vec(), value));
        self.len += 1;
        None
    }

    pub fn remove(&mut self, key: &[u8]) -> Option<V> {
        let hash = self.hash(key);
        let bucket = self.buckets.get_mut(&hash)?;
        let at = bucket.iter().position(|(own, _)| own == key)?;
        let (_, value) = bucket.swap_remove(at);
        if bucket.is_empty() {
            self.buckets.remove(&hash);
        }
        self.len -= 1;
        Some(value)
    }

    /// Keeps the entries for which this is true.
    pub fn retain(&mut self, mut keep: impl FnMut(&[u8], &V) -> bool) {
        let mut kept = 0;
        self.buckets.retain(|_, bucket| {
            bucket.retain(|(key, value)| keep(key, value));
            kept += bucket.len();
            !bucket.is_empty()
        });
        self.len = kept;
    }

    /// The buckets from this hash on, each with its hash. A traversal visits every entry that
    /// exists from its first step to its last, whatever else is added or removed.
    pub fn walk_from(&self, hash: u64) -> impl Iterator<Item = (u64, &[(Vec<u8>, V)])> {
        let buckets = self.buckets.range(hash..);
        buckets.map(|(hash, bucket)| (*hash, &bucket[..]))
    }

    fn hash(&self, key: &[u8]) -> u64 {
        self.hasher.hash_one(key) >> (u64::BITS - HASH_BITS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_replaced_and_removed() {
        let mut table = Table::new();
        assert_eq!(table.insert(b"a", 1), None);
        assert_eq!(table.insert(b"b", 2), None);
        assert_eq!(table.insert(b"a", 3), Some(1));
        assert_eq!((table.len(), table.get(b"a")), (2, Some(&3)));
        assert_eq!((table.remove(b"a"), table.remove(b"a")), (Some(3), None));
        table.retain(|key, _| key != b"b");
        assert_eq!((table.len(), table.get(b"b")), (0, None));
    }

    #[test]
    fn a_walk_in_steps_visits_what_stays() {
        let mut table = Table::new();
        let key = |number: u32| number.to_string().into_bytes();
        for number in 0..1000 {
            table.insert(&key(number), number);
        }
        let (mut seen, mut at) = (Vec::new(), Some(0));
        while let Some(from) = at {
            let mut walk = table.walk_from(from);
            seen.extend(
                walk.next()
                    .into_iter()
                    .flat_map(|(_, bucket)| bucket)
                    .map(|(_, n)| *n),
            );
            at = walk.next().map(|(hash, _)| hash);
            drop(walk);
            // Other entries are added and removed in between.
            table.remove(&key(seen.len() as u32 + 1000));
            table.insert(&key(seen.len() as u32 + 2000), 2000);
        }
        seen.retain(|&number| number < 1000);
        seen.sort_unstable();
        assert_eq!(seen, (0..1000).collect::<Vec<_>>());
    }
}
