//! Counts names in `wasi:keyvalue`: counts outlive its instances and versions, and with Redis
//! several hosts share them.
//!
//! A line `NAME` counts the name and answers with its count; `NAME >N` raises the count to N if it
//! is less; `NAME -` deletes it; an empty line lists all of them.

mod order;

use order::Order;
use wasi::keyvalue::atomics::{self, Cas, CasError};
use wasi::keyvalue::batch;
use wasi::keyvalue::store::{self, Bucket, Error};

wit_bindgen::generate!({ path: "../../wit/deps/keyvalue.wit", world: "imports" });

echo_host_guest::responder!(respond, framing: "lines", max_message_bytes: 256);

fn respond(line: Vec<u8>) -> String {
    let line = String::from_utf8_lossy(&line);
    let answer = match store::open("tally") {
        Ok(counts) => answer(&counts, Order::from(line.trim())),
        Err(error) => Err(error),
    };
    match answer {
        Ok(answer) => answer,
        Err(Error::Other(reason)) => format!("error: {reason}\n"),
        Err(error) => format!("error: {error}\n"),
    }
}

fn answer(counts: &Bucket, order: Order) -> Result<String, Error> {
    match order {
        Order::Count(name) => Ok(format!("{name} {}\n", atomics::increment(counts, name, 1)?)),
        Order::Raise(name, least) => Ok(format!("{name} {}\n", raise(counts, name, least)?)),
        Order::Forget(name) => {
            let was_there = counts.exists(name)?;
            counts.delete(name)?;
            Ok(format!(
                "{name} {}\n",
                if was_there {
                    "is forgotten"
                } else {
                    "was not there"
                }
            ))
        }
        Order::All => all(counts),
    }
}

/// Compares and swaps until no other instance has interfered.
fn raise(counts: &Bucket, name: &str, least: i64) -> Result<i64, Error> {
    let mut cas = Cas::new(counts, name)?;
    loop {
        let now = cas
            .current()?
            .and_then(|value| String::from_utf8(value).ok()?.parse().ok());
        if let Some(now) = now.filter(|now| *now >= least) {
            return Ok(now);
        }
        match atomics::swap(cas, least.to_string().as_bytes()) {
            Ok(()) => return Ok(least),
            Err(CasError::CasFailed(again)) => cas = again,
            Err(CasError::StoreError(error)) => return Err(error),
        }
    }
}

/// Page by page: the host may have more names than fit into one page.
fn all(counts: &Bucket) -> Result<String, Error> {
    let mut lines = Vec::new();
    let mut cursor = None;
    loop {
        let page = counts.list_keys(cursor.as_deref())?;
        let found = batch::get_many(counts, &page.keys)?;
        // A name may have been deleted.
        for (name, count) in found.into_iter().flatten() {
            lines.push(format!("{name} {}\n", String::from_utf8_lossy(&count)));
        }
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    lines.sort();
    lines.dedup();
    lines.push(".\n".to_owned());
    Ok(lines.concat())
}
