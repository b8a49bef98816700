//! Counts names in `wasi:keyvalue`: counts outlive its instances and versions, and with Redis
//! several hosts share them.
//!
//! A line `NAME` counts the name and answers with its count; `NAME >N` raises the count to N if it
//! is less; `NAME -` deletes it; an empty line lists all of them.

mod order;

use echo_host_guest::keyvalue::{self, Bucket, Result};
use order::Order;

echo_host_guest::responder!(respond, framing: "lines", max_message_bytes: 256);

fn respond(line: Vec<u8>) -> String {
    let line = String::from_utf8_lossy(&line);
    let answer = keyvalue::open("tally").and_then(|counts| answer(&counts, line.trim().into()));
    answer.unwrap_or_else(|error| format!("error: {error}\n"))
}

fn answer(counts: &Bucket, order: Order) -> Result<String> {
    match order {
        Order::Count(name) => Ok(format!("{name} {}\n", counts.increment(name, 1)?)),
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

/// Raises the count if it is less. Returns what it is then.
fn raise(counts: &Bucket, name: &str, least: i64) -> Result<i64> {
    let mut count = least;
    counts.update(name, |value| {
        let now = value.and_then(|value| String::from_utf8(value).ok()?.parse().ok());
        count = now.map_or(least, |now: i64| now.max(least));
        (now != Some(count)).then(|| count.to_string().into())
    })?;
    Ok(count)
}

fn all(counts: &Bucket) -> Result<String> {
    let names = counts.keys()?;
    let mut lines = String::new();
    for (name, count) in names.iter().zip(counts.get_many(&names)?) {
        // A name may have been deleted.
        if let Some(count) = count {
            lines += &format!("{name} {}\n", String::from_utf8_lossy(&count));
        }
    }
    Ok(lines + ".\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use echo_host_guest::testing;

    fn answer_to(line: &str) -> String {
        respond(line.into())
    }

    #[test]
    fn names_are_counted_raised_listed_and_forgotten() {
        assert_eq!(answer_to("pears"), "pears 1\n");
        assert_eq!(answer_to("apples"), "apples 1\n");
        assert_eq!(answer_to("apples"), "apples 2\n");
        assert_eq!(answer_to("apples >7"), "apples 7\n");
        assert_eq!(answer_to("apples >3"), "apples 7\n");
        assert_eq!(answer_to("plums >3"), "plums 3\n");
        assert_eq!(answer_to(""), "apples 7\npears 1\nplums 3\n.\n");
        assert_eq!(answer_to("apples -"), "apples is forgotten\n");
        assert_eq!(answer_to("apples -"), "apples was not there\n");
    }

    #[test]
    fn a_broken_store_is_told_to_the_client() {
        testing::keyvalue::fail(keyvalue::Error::Other("it does not respond".to_owned()));
        assert_eq!(answer_to("apples"), "error: it does not respond\n");
        testing::keyvalue::clear();
        assert_eq!(answer_to("apples"), "apples 1\n");
    }
}
