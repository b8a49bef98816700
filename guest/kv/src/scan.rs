//! Commands that look for keys: KEYS and SCAN.

use crate::arguments::{NOT_AN_INTEGER, SYNTAX, is};
use crate::integer::parse_integer;
use crate::keys::{MAX_REPLY, VALUE_BYTES};
use crate::pattern::{TooLong, matches};
use crate::reply::{Failure, Reply};
use crate::store::Store;

/// How much one command may compare, in steps of about a byte: some 50 ms.
const MAX_STEPS: u64 = 20_000_000;
/// Number of keys that a SCAN step looks at by default.
const COUNT: i64 = 10;

type Result = std::result::Result<Reply, Failure>;

const BAD_CURSOR: Failure = Failure::Borrowed("ERR invalid cursor");
const TOO_LONG: Failure = Failure::Borrowed("ERR the pattern takes too long to compare");
const TOO_MANY: Failure = Failure::Borrowed("ERR the keys are too long for one reply: use SCAN");

/// The matching keys, within the limits of one reply and one command's time.
struct Found {
    keys: Vec<Reply>,
    bytes: usize,
    steps: u64,
}

impl Found {
    fn new() -> Self {
        Found {
            keys: Vec::new(),
            bytes: 0,
            steps: MAX_STEPS,
        }
    }

    fn look_at(&mut self, pattern: Option<&[u8]>, key: &[u8]) -> std::result::Result<(), TooLong> {
        let fits = match pattern {
            Some(pattern) => matches(pattern, key, &mut self.steps)?,
            None => true,
        };
        if fits {
            self.bytes += VALUE_BYTES + key.len();
            self.keys.push(Reply::bulk(key));
        }
        Ok(())
    }

    fn spent(&self) -> u64 {
        MAX_STEPS - self.steps
    }
}

pub fn keys(store: &mut Store, arguments: &[Vec<u8>]) -> Result {
    let mut found = Found::new();
    let result = store
        .walk_from(0)
        .flat_map(|(_, keys)| keys)
        .try_for_each(|key| {
            found
                .look_at(Some(&arguments[0]), key)
                .map_err(|_| TOO_LONG)?;
            (found.bytes <= MAX_REPLY).then_some(()).ok_or(TOO_MANY)
        });
    store.spend(found.spent());
    result.map(|()| Reply::Array(found.keys))
}

struct Options<'a> {
    pattern: Option<&'a [u8]>,
    count: i64,
    /// Whether keys of the requested type can exist: all values are strings.
    is_there: bool,
}

/// `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]`.
pub fn scan(store: &mut Store, arguments: &[Vec<u8>]) -> Result {
    let cursor = str::from_utf8(&arguments[0])
        .ok()
        .and_then(|text| text.parse().ok());
    let cursor: u64 = cursor.ok_or(BAD_CURSOR)?;
    let options = options(&arguments[1..])?;
    let mut found = Found::new();
    let mut left = options.count;
    let mut next = 0;
    let mut result = Ok(());
    for (hash, keys) in store.walk_from(cursor) {
        if left <= 0 || found.bytes > MAX_REPLY / 2 || found.spent() > MAX_STEPS / 2 {
            next = hash;
            break;
        }
        for key in keys {
            left -= 1;
            found.steps -= 1;
            if options.is_there && found.look_at(options.pattern, key).is_err() {
                result = Err(TOO_LONG);
            }
        }
        if result.is_err() {
            break;
        }
    }
    store.spend(found.spent());
    result?;
    Ok(Reply::Array(vec![
        Reply::bulk(next.to_string()),
        Reply::Array(found.keys),
    ]))
}

fn options(mut words: &[Vec<u8>]) -> std::result::Result<Options<'_>, Failure> {
    let mut options = Options {
        pattern: None,
        count: COUNT,
        is_there: true,
    };
    while let [word, value, rest @ ..] = words {
        if is(word, "match") {
            options.pattern = Some(value);
        } else if is(word, "count") {
            let count = parse_integer(value).ok_or(NOT_AN_INTEGER)?;
            options.count = Some(count).filter(|&count| count > 0).ok_or(SYNTAX)?;
        } else if is(word, "type") {
            options.is_there = is(value, "string");
        } else {
            return Err(SYNTAX);
        }
        words = rest;
    }
    words.is_empty().then_some(options).ok_or(SYNTAX)
}
