//! The command SET, which has options, and its older variants.

use crate::arguments::{NOT_AN_INTEGER, SYNTAX, is};
use crate::integer::parse_integer;
use crate::reply::{Failure, Reply};
use crate::store::{Expiry, Store};
use std::time::Duration;

#[derive(Clone, Copy, PartialEq)]
enum Condition {
    Always,
    IfAbsent,
    IfPresent,
}

struct Options {
    condition: Condition,
    expiry: Expiry,
    /// Whether to return the previous value.
    get: bool,
}

pub fn set(store: &mut Store, arguments: &[Vec<u8>]) -> Result<Reply, Failure> {
    let [key, value, options @ ..] = arguments else {
        return Err(SYNTAX);
    };
    let options = read(store, options)?;
    let old = store.get(key);
    let goes = match options.condition {
        Condition::Always => true,
        Condition::IfAbsent => old.is_none(),
        Condition::IfPresent => old.is_some(),
    };
    let reply = match (options.get, goes) {
        (true, _) => old.map_or(Reply::Nil, Reply::bulk),
        (false, true) => Reply::OK,
        (false, false) => Reply::Nil,
    };
    if goes {
        store.set(key, value.clone(), options.expiry);
    }
    Ok(reply)
}

/// `SETEX key seconds value`.
pub fn setex(store: &mut Store, arguments: &[Vec<u8>]) -> Result<Reply, Failure> {
    let expiry = expiry(store, &arguments[1], 1000, "setex")?;
    store.set(&arguments[0], arguments[2].clone(), expiry);
    Ok(Reply::OK)
}

/// `PSETEX key milliseconds value`.
pub fn psetex(store: &mut Store, arguments: &[Vec<u8>]) -> Result<Reply, Failure> {
    let expiry = expiry(store, &arguments[1], 1, "psetex")?;
    store.set(&arguments[0], arguments[2].clone(), expiry);
    Ok(Reply::OK)
}

pub fn setnx(store: &mut Store, arguments: &[Vec<u8>]) -> Result<Reply, Failure> {
    let is_new = store.get(&arguments[0]).is_none();
    if is_new {
        store.set(&arguments[0], arguments[1].clone(), Expiry::Never);
    }
    Ok(Reply::Integer(is_new.into()))
}

fn read(store: &Store, mut words: &[Vec<u8>]) -> Result<Options, Failure> {
    let mut options = Options {
        condition: Condition::Always,
        expiry: Expiry::Never,
        get: false,
    };
    // Syntax errors of all options come before an invalid time.
    let mut time = None;
    while let [word, rest @ ..] = words {
        words = rest;
        let has_no_expiry = options.expiry == Expiry::Never && time.is_none();
        let has_no_condition = |own| [Condition::Always, own].contains(&options.condition);
        if is(word, "nx") && has_no_condition(Condition::IfAbsent) {
            options.condition = Condition::IfAbsent;
        } else if is(word, "xx") && has_no_condition(Condition::IfPresent) {
            options.condition = Condition::IfPresent;
        } else if is(word, "get") {
            options.get = true;
        } else if is(word, "keepttl") && time.is_none() {
            options.expiry = Expiry::Keep;
        } else if let [number, rest @ ..] = rest
            && has_no_expiry
            && let Some(unit) = milliseconds(word)
        {
            time = Some((number, unit));
            words = rest;
        } else {
            return Err(SYNTAX);
        }
    }
    if let Some((number, unit)) = time {
        options.expiry = expiry(store, number, unit, "set")?;
    }
    Ok(options)
}

/// The length of a time unit.
fn milliseconds(word: &[u8]) -> Option<i64> {
    if is(word, "ex") {
        Some(1000)
    } else if is(word, "px") {
        Some(1)
    } else {
        None
    }
}

fn expiry(store: &Store, number: &[u8], unit: i64, command: &str) -> Result<Expiry, Failure> {
    let number = parse_integer(number).ok_or(NOT_AN_INTEGER)?;
    let time = number.checked_mul(unit).filter(|&time| time > 0);
    let moment = time.and_then(|time| store.after(Duration::from_millis(time.unsigned_abs())));
    let invalid = || format!("ERR invalid expire time in '{command}' command").into();
    moment.map(Expiry::At).ok_or_else(invalid)
}
