//! Commands about keys and values.

use crate::arguments::{NOT_AN_INTEGER, wrong_number};
use crate::integer::parse_integer;
use crate::reply::{Failure, Reply};
use crate::store::{Expiry, Store};
use std::time::Duration;

/// Longest reply, in bytes. A short request may ask for the same long value many times.
const MAX_REPLY: usize = 640 << 10;
/// What a value costs in a reply beside its bytes.
const VALUE_BYTES: usize = 16;

type Result = std::result::Result<Reply, Failure>;

pub fn get(store: &mut Store, arguments: &[Vec<u8>]) -> Result {
    Ok(value(store, &arguments[0]))
}

pub fn mget(store: &mut Store, keys: &[Vec<u8>]) -> Result {
    let lengths = keys
        .iter()
        .map(|key| VALUE_BYTES + store.get(key).map_or(0, <[u8]>::len));
    if lengths.sum::<usize>() > MAX_REPLY {
        return Err("ERR the values are too long for one reply".into());
    }
    Ok(Reply::Array(
        keys.iter().map(|key| value(store, key)).collect(),
    ))
}

fn value(store: &Store, key: &[u8]) -> Reply {
    store.get(key).map_or(Reply::Nil, Reply::bulk)
}

pub fn mset(store: &mut Store, arguments: &[Vec<u8>]) -> Result {
    let (pairs, rest) = arguments.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(wrong_number("mset"));
    }
    for [key, value] in pairs {
        store.set(key, value.clone(), Expiry::Never);
    }
    Ok(Reply::OK)
}

pub fn del(store: &mut Store, keys: &[Vec<u8>]) -> Result {
    Ok(count(keys, |key| store.remove(key)))
}

/// A key that is named twice counts twice.
pub fn exists(store: &mut Store, keys: &[Vec<u8>]) -> Result {
    Ok(count(keys, |key| store.get(key).is_some()))
}

fn count(keys: &[Vec<u8>], mut counts: impl FnMut(&[u8]) -> bool) -> Reply {
    Reply::Integer(keys.iter().filter(|key| counts(key)).count() as i64)
}

pub fn incr(store: &mut Store, arguments: &[Vec<u8>]) -> Result {
    add(store, &arguments[0], 1)
}

pub fn decr(store: &mut Store, arguments: &[Vec<u8>]) -> Result {
    add(store, &arguments[0], -1)
}

fn add(store: &mut Store, key: &[u8], difference: i64) -> Result {
    let old = match store.get(key) {
        Some(value) => parse_integer(value).ok_or(NOT_AN_INTEGER)?,
        None => 0,
    };
    let Some(new) = old.checked_add(difference) else {
        return Err("ERR increment or decrement would overflow".into());
    };
    store.set(key, new.to_string().into(), Expiry::Keep);
    Ok(Reply::Integer(new))
}

pub fn expire(store: &mut Store, arguments: &[Vec<u8>]) -> Result {
    const INVALID: Failure = Failure::Borrowed("ERR invalid expire time in 'expire' command");
    let seconds = parse_integer(&arguments[1]).ok_or(NOT_AN_INTEGER)?;
    let milliseconds = seconds.checked_mul(1000).ok_or(INVALID)?;
    let found = match u64::try_from(milliseconds) {
        Ok(milliseconds) => {
            let moment = store.after(Duration::from_millis(milliseconds));
            store.expire(&arguments[0], moment.ok_or(INVALID)?)
        }
        // It should have expired already.
        Err(_) => store.remove(&arguments[0]),
    };
    Ok(Reply::Integer(found.into()))
}

pub fn ttl(store: &mut Store, arguments: &[Vec<u8>]) -> Result {
    Ok(Reply::Integer(match store.time_left(&arguments[0]) {
        None => -2,
        Some(None) => -1,
        // To the nearest second.
        Some(Some(left)) => (left.as_millis() as i64 + 500) / 1000,
    }))
}
