//! The keys and values, and when they expire.

use crate::table::Table;
use std::time::{Duration, Instant};

/// Maximum size of all data, in bytes as counted here. An instance that runs out of memory loses
/// all its data, so this leaves room for requests, replies and the growth of the table.
pub const MAX_BYTES: usize = 24 << 20;
/// Additional room for unfinished requests, so that a full store can still read the commands that
/// empty it.
pub const RESERVE_BYTES: usize = 4 << 20;
/// Overhead of an entry, in bytes, beside its key and value.
const ENTRY_BYTES: usize = 192;
/// Minimum time between two searches of the whole store for expired keys.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// What one callback may spend on commands that look at many keys, in steps of about a byte.
const MAX_STEPS_PER_TURN: u64 = 5_000_000;

/// Keys and values. Its clock stands still while a command runs.
pub struct Store {
    entries: Table<Entry>,
    bytes: usize,
    /// Size of the unfinished requests of all clients, in bytes.
    held: usize,
    now: Instant,
    swept: Option<Instant>,
    /// Steps spent by the running callback.
    steps: u64,
}

struct Entry {
    value: Vec<u8>,
    expires: Option<Instant>,
}

impl Entry {
    fn is_alive(&self, now: Instant) -> bool {
        self.expires.is_none_or(|expires| expires > now)
    }
}

/// What happens to a key's expiry when its value changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expiry {
    Never,
    Keep,
    At(Instant),
}

impl Store {
    pub fn new(now: Instant) -> Self {
        Store {
            entries: Table::new(),
            bytes: 0,
            held: 0,
            now,
            swept: None,
            steps: 0,
        }
    }

    /// Starts a callback at this time. Expired keys are not deleted, but no longer visible.
    pub fn begin_turn(&mut self, now: Instant) {
        self.now = now;
        self.steps = 0;
    }

    /// Counts the cost of a command beyond the bytes of its request and reply.
    pub fn spend(&mut self, steps: u64) {
        self.steps = self.steps.saturating_add(steps);
    }

    /// Whether this callback has done enough: a call that takes too long ends the instance and
    /// loses its data.
    pub fn turn_is_over(&self) -> bool {
        self.steps >= MAX_STEPS_PER_TURN
    }

    /// Records the new size of a client's unfinished requests.
    pub fn hold(&mut self, before: usize, now: usize) {
        self.held = self.held - before + now;
    }

    /// Whether there is no memory left for unfinished requests.
    pub fn is_crowded(&self) -> bool {
        self.bytes + self.held > MAX_BYTES + RESERVE_BYTES
    }

    /// The time this much later than now, unless it overflows.
    pub fn after(&self, duration: Duration) -> Option<Instant> {
        self.now.checked_add(duration)
    }

    pub fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.entry(key).map(|entry| &*entry.value)
    }

    pub fn set(&mut self, key: &[u8], value: Vec<u8>, expiry: Expiry) {
        let expires = match expiry {
            Expiry::Never => None,
            Expiry::Keep => self.entry(key).and_then(|entry| entry.expires),
            Expiry::At(moment) => Some(moment),
        };
        self.bytes += cost(key, &value);
        let entry = Entry { value, expires };
        if let Some(old) = self.entries.insert(key, entry) {
            self.bytes -= cost(key, &old.value);
        }
    }

    /// Removes a key. Returns true if there was one.
    pub fn remove(&mut self, key: &[u8]) -> bool {
        let Some(entry) = self.entries.remove(key) else {
            return false;
        };
        self.bytes -= cost(key, &entry.value);
        entry.is_alive(self.now)
    }

    /// Sets when a key expires. Returns true if there is one.
    pub fn expire(&mut self, key: &[u8], moment: Instant) -> bool {
        let now = self.now;
        let entry = self
            .entries
            .get_mut(key)
            .filter(|entry| entry.is_alive(now));
        match entry {
            Some(entry) => {
                entry.expires = Some(moment);
                true
            }
            None => false,
        }
    }

    /// How long a key will live, if it exists and expires.
    pub fn time_left(&self, key: &[u8]) -> Option<Option<Duration>> {
        let expires = self.entry(key)?.expires;
        Some(expires.map(|moment| moment.saturating_duration_since(self.now)))
    }

    /// The keys from this cursor on, in small groups, each with its cursor.
    pub fn walk_from(
        &self,
        cursor: u64,
    ) -> impl Iterator<Item = (u64, impl Iterator<Item = &[u8]>)> {
        self.entries.walk_from(cursor).map(|(cursor, bucket)| {
            let alive = bucket.iter().filter(|(_, entry)| entry.is_alive(self.now));
            (cursor, alive.map(|(key, _)| &key[..]))
        })
    }

    /// Number of keys. As in Redis, some of them may have expired just now.
    pub fn len(&mut self) -> usize {
        self.sweep();
        self.entries.len()
    }

    pub fn clear(&mut self) {
        self.entries = Table::new();
        self.bytes = 0;
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether more data may be stored.
    pub fn has_room(&mut self) -> bool {
        if self.bytes + self.held > MAX_BYTES {
            self.sweep();
        }
        self.bytes + self.held <= MAX_BYTES
    }

    fn entry(&self, key: &[u8]) -> Option<&Entry> {
        let entry = self.entries.get(key);
        entry.filter(|entry| entry.is_alive(self.now))
    }

    /// Deletes expired keys, unless that was done recently: it looks at every key.
    fn sweep(&mut self) {
        let next = self.swept.map(|swept| swept + SWEEP_INTERVAL);
        if next.is_some_and(|next| self.now < next) {
            return;
        }
        self.swept = Some(self.now);
        let (now, bytes) = (self.now, &mut self.bytes);
        self.entries.retain(|key, entry| {
            let alive = entry.is_alive(now);
            if !alive {
                *bytes -= cost(key, &entry.value);
            }
            alive
        });
    }
}

fn cost(key: &[u8], value: &[u8]) -> usize {
    ENTRY_BYTES + key.len() + value.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_has_expired_is_as_good_as_gone() {
        let start = Instant::now();
        let mut store = Store::new(start);
        store.set(b"short", b"1".to_vec(), Expiry::At(start + SECOND));
        store.set(b"long", b"2".to_vec(), Expiry::Never);
        assert_eq!(store.get(b"short"), Some(&b"1"[..]));
        assert_eq!(store.time_left(b"short"), Some(Some(SECOND)));
        store.begin_turn(start + SECOND);
        assert_eq!(store.get(b"short"), None);
        assert_eq!(store.time_left(b"short"), None);
        assert!(!store.expire(b"short", start + 2 * SECOND));
        assert!(!store.remove(b"short"));
        assert_eq!(store.time_left(b"long"), Some(None));
        assert_eq!(store.len(), 1);
    }

    #[test]
    fn a_new_value_may_keep_the_expiry() {
        let start = Instant::now();
        let mut store = Store::new(start);
        store.set(b"k", b"1".to_vec(), Expiry::At(start + SECOND));
        store.set(b"k", b"2".to_vec(), Expiry::Keep);
        assert_eq!(store.time_left(b"k"), Some(Some(SECOND)));
        store.set(b"k", b"3".to_vec(), Expiry::Never);
        assert_eq!(store.time_left(b"k"), Some(None));
    }

    #[test]
    fn what_is_kept_is_counted() {
        let start = Instant::now();
        let mut store = Store::new(start);
        for value in ["one", "another one", ""] {
            store.set(b"k", value.into(), Expiry::At(start + SECOND));
            assert_eq!(store.bytes(), ENTRY_BYTES + 1 + value.len());
        }
        assert!(store.remove(b"k"));
        assert_eq!(store.bytes(), 0);
        store.set(b"k", b"v".to_vec(), Expiry::Never);
        store.clear();
        assert_eq!((store.bytes(), store.len()), (0, 0));
    }

    #[test]
    fn room_comes_back_when_something_expires() {
        let start = Instant::now();
        let mut store = Store::new(start);
        store.set(b"k", vec![0; MAX_BYTES], Expiry::At(start + SECOND));
        assert!(!store.has_room());
        store.begin_turn(start + SECOND);
        assert!(store.has_room());
        assert_eq!(store.bytes(), 0);
    }

    #[test]
    fn unfinished_requests_take_room() {
        let mut store = Store::new(Instant::now());
        store.hold(0, MAX_BYTES);
        assert!(store.has_room());
        store.set(b"k", b"v".to_vec(), Expiry::Never);
        assert!(!store.has_room() && !store.is_crowded());
        store.hold(MAX_BYTES, MAX_BYTES + RESERVE_BYTES);
        assert!(store.is_crowded());
        store.hold(MAX_BYTES + RESERVE_BYTES, 0);
        assert!(store.has_room());
    }
}
