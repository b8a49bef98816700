//! The store of a unit test: in memory, one for each thread, and so for each test that libtest runs
//! in a thread of its own. Buckets are opened with [`keyvalue::open`](crate::keyvalue::open) as
//! under a host.

use crate::keyvalue::{Error, Result};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Limits of the host's names of buckets.
const MAX_NAME_BYTES: usize = 64;

#[derive(Default)]
struct Store {
    /// By bucket and key.
    values: BTreeMap<(String, String), Vec<u8>>,
    broken: Option<Error>,
}

thread_local! {
    static STORE: RefCell<Store> = RefCell::default();
}

/// Deletes all values of this thread, and lets operations succeed again.
pub fn clear() {
    STORE.take();
}

/// Lets every operation of this thread fail, as if Redis did not respond.
pub fn fail(error: Error) {
    STORE.with_borrow_mut(|store| store.broken = Some(error));
}

pub(crate) fn open(name: &str) -> Result<Bucket> {
    let may = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if !(1..=MAX_NAME_BYTES).contains(&name.len()) || !name.bytes().all(may) {
        return Err(Error::NoSuchStore);
    }
    let bucket = Bucket(name.to_owned());
    bucket.with(|_| bucket.0.clone()).map(Bucket)
}

#[derive(Debug)]
pub(crate) struct Bucket(String);

impl Bucket {
    fn with<T>(
        &self,
        act: impl FnOnce(&mut BTreeMap<(String, String), Vec<u8>>) -> T,
    ) -> Result<T> {
        STORE.with_borrow_mut(|store| match &store.broken {
            Some(error) => Err(error.clone()),
            None => Ok(act(&mut store.values)),
        })
    }

    fn place(&self, key: &str) -> (String, String) {
        (self.0.clone(), key.to_owned())
    }

    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.with(|values| values.get(&self.place(key)).cloned())
    }

    pub fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
        keys.iter().map(|key| self.get(key)).collect()
    }

    pub fn set(&self, key: &str, value: &[u8]) -> Result {
        self.with(|values| {
            values.insert(self.place(key), value.to_owned());
        })
    }

    pub fn delete(&self, key: &str) -> Result {
        self.with(|values| {
            values.remove(&self.place(key));
        })
    }

    pub fn exists(&self, key: &str) -> Result<bool> {
        self.with(|values| values.contains_key(&self.place(key)))
    }

    pub fn increment(&self, key: &str, by: i64) -> Result<i64> {
        let number = |value: Vec<u8>| str::from_utf8(&value).ok()?.parse::<i64>().ok();
        let value = self.get(key)?;
        let sum = value
            .map_or(Some(0), number)
            .and_then(|it| it.checked_add(by));
        let sum = sum.ok_or_else(|| {
            let reason = "the value, or the result, is not a whole number from -2^63 to 2^63-1";
            Error::Other(reason.to_owned())
        })?;
        self.set(key, sum.to_string().as_bytes())?;
        Ok(sum)
    }

    pub fn update(
        &self,
        key: &str,
        mut next: impl FnMut(Option<Vec<u8>>) -> Option<Vec<u8>>,
    ) -> Result<bool> {
        let value = next(self.get(key)?);
        if let Some(value) = &value {
            self.set(key, value)?;
        }
        Ok(value.is_some())
    }

    pub fn keys(&self) -> Result<Vec<String>> {
        self.with(|values| {
            let own = values.keys().filter(|(bucket, _)| *bucket == self.0);
            own.map(|(_, key)| key.clone()).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{clear, fail};
    use crate::Failure;
    use crate::keyvalue::{Error, open};

    #[test]
    fn values_are_kept_by_bucket_and_key() {
        let (red, blue) = (open("red").unwrap(), open("blue").unwrap());
        red.set("b", "text").unwrap();
        red.set("a", [0xff, 0]).unwrap();
        blue.set("c", "").unwrap();
        assert_eq!(red.get("a").unwrap(), Some(vec![0xff, 0]));
        assert_eq!(red.get_text("b").unwrap().as_deref(), Some("text"));
        assert!(matches!(red.get_text("a"), Err(Error::Other(_))));
        assert_eq!(red.get("c").unwrap(), None);
        assert_eq!(red.keys().unwrap(), ["a", "b"]);
        let keys = ["b".to_owned(), "c".to_owned()];
        assert_eq!(red.get_many(&keys).unwrap(), [Some(b"text".to_vec()), None]);
        red.delete("a").unwrap();
        assert!(!red.exists("a").unwrap());
        assert!(open("red").unwrap().exists("b").unwrap());
        clear();
        assert!(!red.exists("b").unwrap());
    }

    #[test]
    fn numbers_are_counted() {
        let counts = open("counts").unwrap();
        assert_eq!(counts.increment("one", 1), Ok(1));
        assert_eq!(counts.increment("one", -3), Ok(-2));
        assert_eq!(counts.get_text("one").unwrap().as_deref(), Some("-2"));
        counts.set("one", "many").unwrap();
        assert!(matches!(counts.increment("one", 1), Err(Error::Other(_))));
        counts.set("one", i64::MAX.to_string()).unwrap();
        assert!(matches!(counts.increment("one", 1), Err(Error::Other(_))));
    }

    #[test]
    fn a_value_is_replaced_by_one_that_depends_on_it() {
        let bucket = open("updates").unwrap();
        let longer =
            |value: Option<Vec<u8>>| Some([value.unwrap_or_default(), vec![b'x']].concat());
        assert_eq!(bucket.update("key", longer), Ok(true));
        assert_eq!(bucket.update("key", longer), Ok(true));
        assert_eq!(bucket.update("key", |_| None), Ok(false));
        assert_eq!(bucket.get("key").unwrap(), Some(b"xx".to_vec()));
    }

    #[test]
    fn a_store_can_be_missing_or_broken() {
        assert_eq!(open("no such name").unwrap_err(), Error::NoSuchStore);
        assert_eq!(open("").unwrap_err(), Error::NoSuchStore);
        let bucket = open("bucket").unwrap();
        let silent = Error::Other("the store does not respond".to_owned());
        fail(silent.clone());
        assert_eq!(bucket.set("key", "value"), Err(silent.clone()));
        assert_eq!(bucket.increment("key", 1), Err(silent.clone()));
        assert_eq!(open("bucket").unwrap_err(), silent);
        let failure = Failure::internal("the store does not respond");
        assert_eq!(Failure::from(silent), failure);
        clear();
        assert_eq!(bucket.get("key"), Ok(None));
    }
}
