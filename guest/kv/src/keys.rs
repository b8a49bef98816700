//! Commands about keys and values.

use crate::arguments::{NOT_AN_INTEGER, wrong_number};
use crate::integer::parse_integer;
use crate::reply::{Failure, Reply};
use crate::store::{Expiry, Store};
use std::time::Duration;

/// Longest reply, in bytes. A short request may ask for the same long value many times.
pub const MAX_REPLY: usize = 640 << 10;
/// Overhead of a value in a reply, in bytes.
pub const VALUE_BYTES: usize = 16;

type Result = std::result::Result<Reply, Failure>;

pub fn get(store: &mut Store, arguments: &[Vec<u8>]) -> Result {
    Ok(value(store, &arguments[0]))
}

pub fn mget(store: &mut Store, keys: &[Vec<u8>]) -> Result {
    let lengths = keys
        .iter()
        .map(|key| VALUE_BYTES + store.get(key).map_or(0, <[u8]>::len));
    if lengths.sum::<usize>() > MAX_REPLY {
        return Err("ERR the values exceed the longest reply".into());
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

/// A key that is given twice counts twice.
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

pub fn incrby(store: &mut Store, arguments: &[Vec<u8>]) -> Result {
    let difference = parse_integer(&arguments[1]).ok_or(NOT_AN_INTEGER)?;
    add(store, &arguments[0], difference)
}

pub fn decrby(store: &mut Store, arguments: &[Vec<u8>]) -> Result {
    let difference = parse_integer(&arguments[1]).ok_or(NOT_AN_INTEGER)?;
    let negated = difference.checked_neg();
    let negated = negated.ok_or(Failure::Borrowed("ERR decrement would overflow"))?;
    add(store, &arguments[0], negated)
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

/// All values are strings.
pub fn kind(store: &mut Store, arguments: &[Vec<u8>]) -> Result {
    Ok(Reply::Simple(match store.get(&arguments[0]) {
        Some(_) => "string",
        None => "none",
    }))
}

pub fn expire(store: &mut Store, arguments: &[Vec<u8>]) -> Result {
    expire_in(
        store,
        arguments,
        1000,
        "ERR invalid expire time in 'expire' command",
    )
}

pub fn pexpire(store: &mut Store, arguments: &[Vec<u8>]) -> Result {
    expire_in(
        store,
        arguments,
        1,
        "ERR invalid expire time in 'pexpire' command",
    )
}

/// The unit is in milliseconds.
fn expire_in(store: &mut Store, arguments: &[Vec<u8>], unit: i64, invalid: &'static str) -> Result {
    let time = parse_integer(&arguments[1]).ok_or(NOT_AN_INTEGER)?;
    let milliseconds = time.checked_mul(unit).ok_or(invalid)?;
    let found = match u64::try_from(milliseconds) {
        Ok(milliseconds) => {
            let moment = store.after(Duration::from_millis(milliseconds));
            store.expire(&arguments[0], moment.ok_or(invalid)?)
        }
        // Redis would have expired it already.
        Err(_) => store.remove(&arguments[0]),
    };
    Ok(Reply::Integer(found.into()))
}

pub fn ttl(store: &mut Store, arguments: &[Vec<u8>]) -> Result {
    // To the nearest second.
    Ok(left(store, &arguments[0], |milliseconds| {
        (milliseconds + 500) / 1000
    }))
}

pub fn pttl(store: &mut Store, arguments: &[Vec<u8>]) -> Result {
    Ok(left(store, &arguments[0], |milliseconds| milliseconds))
}

fn left(store: &Store, key: &[u8], shown: fn(i64) -> i64) -> Reply {
    Reply::Integer(match store.time_left(key) {
        None => -2,
        Some(None) => -1,
        Some(Some(left)) => shown(left.as_millis() as i64),
    })
}
