//! Each line of a dialogue is a request, what it is answered with follows the arrow.

use super::*;
use crate::inline::split;
use std::time::{Duration, Instant};

/// Holds a conversation with one store; `wait MS` moves its clock.
fn assert_dialogue(dialogue: &str) {
    let mut now = Instant::now();
    let mut store = Store::new(now);
    for line in dialogue.lines().filter(|line| !line.trim().is_empty()) {
        let (request, expected) = line.split_once("->").unwrap();
        let request = split(request.as_bytes()).unwrap();
        if is(&request[0], "wait") {
            let time = String::from_utf8_lossy(&request[1]).parse().unwrap();
            now += Duration::from_millis(time);
            store.set_clock(now);
            continue;
        }
        assert_eq!(
            shown(&obey(&mut store, &request)),
            expected.trim(),
            "{line}"
        );
    }
}

fn shown(reply: &Reply) -> String {
    match reply {
        Reply::Simple(word) => (*word).to_owned(),
        Reply::Integer(number) => number.to_string(),
        Reply::Bulk(bytes) => format!("\"{}\"", bytes.escape_ascii()),
        Reply::Nil => "nil".to_owned(),
        Reply::Array(items) => {
            format!("{:?}", items.iter().map(shown).collect::<Vec<_>>()).replace("\\\"", "")
        }
        Reply::Error(failure) => failure.trim_end().to_owned(),
    }
}

#[test]
fn values_are_kept_and_forgotten() {
    assert_dialogue(
        r#"
        get k               -> nil
        SET k "a b"         -> OK
        Get k               -> "a b"
        mset a 1 b 2 a 3    -> OK
        mget a nothing b k  -> ["3", "nil", "2", "a b"]
        exists a a b c      -> 3
        dbsize              -> 3
        del a b c           -> 2
        dbsize              -> 1
        set "" ""           -> OK
        get ""              -> ""
        flushall            -> OK
        flushall async      -> OK
        flushall now        -> ERR syntax error
        dbsize              -> 0
        "#,
    );
}

#[test]
fn numbers_are_counted() {
    assert_dialogue(
        "
        incr n                       -> 1
        incr n                       -> 2
        decr n                       -> 1
        decr m                       -> -1
        set n 9223372036854775807    -> OK
        incr n                       -> ERR increment or decrement would overflow
        set n -9223372036854775808   -> OK
        decr n                       -> ERR increment or decrement would overflow
        set n 1.5                    -> OK
        incr n                       -> ERR value is not an integer or out of range
        ",
    );
}

#[test]
fn keys_expire() {
    assert_dialogue(
        r#"
        set k v ex 10      -> OK
        ttl k              -> 10
        wait 9400          ->
        ttl k              -> 1
        get k              -> "v"
        wait 600           ->
        get k              -> nil
        ttl k              -> -2
        set k v px 500     -> OK
        wait 500           ->
        exists k           -> 0
        set n 1            -> OK
        ttl n              -> -1
        expire n 5         -> 1
        expire none 5      -> 0
        incr n             -> 2
        ttl n              -> 5
        set n 7 keepttl    -> OK
        ttl n              -> 5
        set n 7            -> OK
        ttl n              -> -1
        expire n -1        -> 1
        exists n           -> 0
        expire n x         -> ERR value is not an integer or out of range
        expire n 9223372036854775807 -> ERR invalid expire time in 'expire' command
        "#,
    );
}

#[test]
fn set_has_options() {
    assert_dialogue(
        r#"
        set k 1 xx             -> nil
        set k 1 nx             -> OK
        set k 2 NX             -> nil
        set k 2 XX             -> OK
        set k 3 get            -> "2"
        set k 4 nx get         -> "3"
        get k                  -> "3"
        set new 1 get          -> nil
        get new                -> "1"
        set k v nx xx          -> ERR syntax error
        set k v ex 1 px 1      -> ERR syntax error
        set k v ex 1 keepttl   -> ERR syntax error
        set k v keepttl ex 1   -> ERR syntax error
        set k v ex             -> ERR syntax error
        set k v foo            -> ERR syntax error
        set k v ex 1 foo       -> ERR syntax error
        set k v ex x           -> ERR value is not an integer or out of range
        set k v ex 0           -> ERR invalid expire time in 'set' command
        set k v px -5          -> ERR invalid expire time in 'set' command
        set k v ex 9223372036854775807 -> ERR invalid expire time in 'set' command
        get k                  -> "3"
        "#,
    );
}

#[test]
fn clients_find_what_they_ask_for() {
    assert_dialogue(
        r#"
        ping                        -> PONG
        ping hello                  -> "hello"
        echo hello                  -> "hello"
        command                     -> []
        command docs                -> []
        config get save             -> ["save", ""]
        config get appendonly save  -> ["save", "", "appendonly", "no"]
        config get nothing          -> []
        config get                  -> ERR wrong number of arguments for 'config|get' command
        config set save 1           -> ERR unknown subcommand 'set'. Try CONFIG HELP.
        select 0                    -> OK
        select 1                    -> ERR DB index is out of range
        select x                    -> ERR value is not an integer or out of range
        quit                        -> OK
        "#,
    );
}

#[test]
fn what_is_unknown_or_ill_formed_is_said_as_redis_says_it() {
    assert_dialogue(
        r"
        get           -> ERR wrong number of arguments for 'get' command
        GET a b       -> ERR wrong number of arguments for 'get' command
        ping a b      -> ERR wrong number of arguments for 'ping' command
        mset a 1 b    -> ERR wrong number of arguments for 'mset' command
        foo a b       -> ERR unknown command 'foo', with args beginning with: 'a' 'b'
        ",
    );
    let mut store = Store::new(Instant::now());
    let long = [
        vec![b'f'; 200],
        vec![b'a'; 100],
        vec![b'b'; 100],
        vec![b'c'; 100],
    ];
    let error = format!(
        "ERR unknown command '{}', with args beginning with: '{}' '{}' ",
        "f".repeat(128),
        "a".repeat(100),
        "b".repeat(25)
    );
    assert_eq!(obey(&mut store, &long), Reply::Error(error.into()));
}

#[test]
fn what_is_full_takes_no_more() {
    let mut store = Store::new(Instant::now());
    store.set(
        b"big",
        vec![0; crate::store::MAX_BYTES],
        crate::store::Expiry::Never,
    );
    let mut obey = |request: &str| shown(&obey(&mut store, &split(request.as_bytes()).unwrap()));
    assert_eq!(
        obey("set k v"),
        "OOM command not allowed when used memory > 'maxmemory'."
    );
    assert_eq!(
        obey("incr n"),
        "OOM command not allowed when used memory > 'maxmemory'."
    );
    assert_eq!(
        obey("mget big"),
        "ERR the values are too long for one reply"
    );
    assert_eq!(obey("get k"), "nil");
    assert_eq!(obey("del big"), "1");
    assert_eq!(obey("set k v"), "OK");
}
