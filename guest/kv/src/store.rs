//! What is kept, and until when.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How much may be kept, in bytes as counted here. An instance that runs out of memory is gone with all
/// its data, so this leaves room for requests, replies and the growth of the table.
pub const MAX_BYTES: usize = 24 << 20;
/// What an entry costs beside the bytes of its key and value.
const ENTRY_BYTES: usize = 128;

/// Keys and values. It has a clock of its own, which stands still while a command is obeyed.
pub struct Store {
    entries: HashMap<Vec<u8>, Entry>,
    bytes: usize,
    now: Instant,
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

/// What becomes of a key's expiry when its value changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expiry {
    Never,
    Keep,
    At(Instant),
}

impl Store {
    pub fn new(now: Instant) -> Self {
        Store {
            entries: HashMap::new(),
            bytes: 0,
            now,
        }
    }

    /// Sets the clock. What expires is not deleted, but not seen any more either.
    pub fn set_clock(&mut self, now: Instant) {
        self.now = now;
    }

    /// The moment so much later than now, if time goes that far.
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
        if let Some(old) = self.entries.insert(key.to_vec(), entry) {
            self.bytes -= cost(key, &old.value);
        }
    }

    /// Forgets a key. True if there was one.
    pub fn remove(&mut self, key: &[u8]) -> bool {
        let Some(entry) = self.entries.remove(key) else {
            return false;
        };
        self.bytes -= cost(key, &entry.value);
        entry.is_alive(self.now)
    }

    /// Lets a key live until then. True if there is one.
    pub fn expire(&mut self, key: &[u8], moment: Instant) -> bool {
        let now = self.now;
        match self
            .entries
            .get_mut(key)
            .filter(|entry| entry.is_alive(now))
        {
            Some(entry) => {
                entry.expires = Some(moment);
                true
            }
            None => false,
        }
    }

    /// How long a key has to live, if there is one and its life is limited.
    pub fn time_left(&self, key: &[u8]) -> Option<Option<Duration>> {
        let expires = self.entry(key)?.expires;
        Some(expires.map(|moment| moment.saturating_duration_since(self.now)))
    }

    pub fn len(&mut self) -> usize {
        self.sweep();
        self.entries.len()
    }

    pub fn clear(&mut self) {
        self.entries = HashMap::new();
        self.bytes = 0;
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether more may be kept.
    pub fn has_room(&mut self) -> bool {
        if self.bytes > MAX_BYTES {
            self.sweep();
        }
        self.bytes <= MAX_BYTES
    }

    fn entry(&self, key: &[u8]) -> Option<&Entry> {
        let entry = self.entries.get(key);
        entry.filter(|entry| entry.is_alive(self.now))
    }

    /// Deletes what has expired.
    fn sweep(&mut self) {
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
        store.set_clock(start + SECOND);
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
        store.set_clock(start + SECOND);
        assert!(store.has_room());
        assert_eq!(store.bytes(), 0);
    }
}
