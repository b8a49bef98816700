//! Each line of a dialogue is a request; its reply follows the arrow.

use super::*;
use crate::inline::split;
use std::time::{Duration, Instant};

/// Plays a dialogue with one store; `wait MS` moves its clock.
fn assert_dialogue(dialogue: &str) {
    let mut now = Instant::now();
    let mut store = Store::new(now);
    let mut profile = Profile::default();
    for line in dialogue.lines().filter(|line| !line.trim().is_empty()) {
        let (request, expected) = line.split_once("->").unwrap();
        let request = split(request.as_bytes()).unwrap();
        if is(&request[0], "wait") {
            let time = String::from_utf8_lossy(&request[1]).parse().unwrap();
            now += Duration::from_millis(time);
            store.begin_turn(now);
            continue;
        }
        assert_eq!(
            shown(&obey(&mut store, &mut profile, &request)),
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
        Reply::Map(pairs) => {
            let pairs = pairs
                .iter()
                .map(|(name, value)| format!("{name}={}", shown(value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(" "))
        }
        Reply::Text(text) => text.clone(),
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
        incrby m 5                   -> 4
        decrby m 14                  -> -10
        incrby m x                   -> ERR value is not an integer or out of range
        decrby m -9223372036854775808 -> ERR decrement would overflow
        incrby m -9223372036854775808 -> ERR increment or decrement would overflow
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
fn older_commands_set_and_expire_too() {
    assert_dialogue(
        r#"
        setex k 10 v       -> OK
        ttl k              -> 10
        pttl k             -> 10000
        psetex k 500 v     -> OK
        pttl k             -> 500
        pttl none          -> -2
        setex k 0 v        -> ERR invalid expire time in 'setex' command
        psetex k x v       -> ERR value is not an integer or out of range
        setnx k w          -> 0
        wait 500           ->
        setnx k w          -> 1
        pttl k             -> -1
        pexpire k 1500     -> 1
        pttl k             -> 1500
        ttl k              -> 2
        type k             -> string
        unlink k k         -> 1
        type k             -> none
        flushdb            -> OK
        "#,
    );
}

#[test]
fn keys_are_found_by_patterns() {
    assert_dialogue(
        r#"
        mset user:1 a         -> OK
        set old v px 1        -> OK
        wait 1                ->
        keys user:*           -> ["user:1"]
        keys [^u]*            -> []
        keys *                -> ["user:1"]
        scan 0 match u*       -> ["0", "[user:1]"]
        scan 0 type string    -> ["0", "[user:1]"]
        scan 0 type hash      -> ["0", "[]"]
        scan 0 count 0        -> ERR syntax error
        scan 0 count x        -> ERR value is not an integer or out of range
        scan 0 match          -> ERR syntax error
        scan x                -> ERR invalid cursor
        "#,
    );
}

#[test]
fn a_scan_in_steps_finds_every_key() {
    let (mut store, mut profile) = (Store::new(Instant::now()), Profile::default());
    for number in 0..500 {
        store.set(
            format!("k{number}").as_bytes(),
            vec![],
            crate::store::Expiry::Never,
        );
    }
    let (mut cursor, mut found, mut steps) = (b"0".to_vec(), Vec::new(), 0);
    loop {
        let request = [b"scan".to_vec(), cursor, b"count".to_vec(), b"20".to_vec()];
        let Reply::Array(reply) = obey(&mut store, &mut profile, &request) else {
            panic!("no array");
        };
        let [Reply::Bulk(next), Reply::Array(keys)] = &reply[..] else {
            panic!("{reply:?}");
        };
        found.extend(keys.iter().map(shown));
        cursor = next.clone();
        steps += 1;
        if cursor == b"0" {
            break;
        }
    }
    found.sort();
    found.dedup();
    assert_eq!((found.len(), steps), (500, 25));
}

#[test]
fn no_pattern_takes_long() {
    let (mut store, mut profile) = (Store::new(Instant::now()), Profile::default());
    store.set(&b"a".repeat(500_000), vec![], crate::store::Expiry::Never);
    let pattern = [&b"*"[..], &b"a".repeat(250_000), b"b"].concat();
    let too_long = "ERR the pattern takes too long to compare";
    let request = [b"keys".to_vec(), pattern.clone()];
    assert_eq!(shown(&obey(&mut store, &mut profile, &request)), too_long);
    assert!(store.turn_is_over());
    let request = [b"scan".to_vec(), b"0".to_vec(), b"match".to_vec(), pattern];
    assert_eq!(shown(&obey(&mut store, &mut profile, &request)), too_long);
}

#[test]
fn clients_introduce_themselves() {
    assert_dialogue(
        r#"
        client getname                      -> nil
        client setname app                  -> OK
        client getname                      -> "app"
        client setname "a b"                -> ERR Client names cannot contain spaces, newlines or special characters.
        client id                           -> 0
        client setinfo LIB-NAME redis-py    -> OK
        client setinfo lib-ver 7.0          -> OK
        client setinfo lib-ver "7 0"        -> ERR lib-ver cannot contain spaces, newlines or special characters.
        client setinfo other 1              -> ERR Unrecognized option 'other'
        client setname                      -> ERR wrong number of arguments for 'client|setname' command
        client list                         -> ERR unknown subcommand 'list'. Try CLIENT HELP.
        hello 4                             -> NOPROTO unsupported protocol version
        hello x                             -> ERR Protocol version is not an integer or out of range
        hello 3 auth root x                 -> WRONGPASS invalid username-password pair or user is disabled.
        hello 3 setname                     -> ERR Syntax error in HELLO option 'setname'
        hello 3 auth default x setname me   -> {server="redis" version="7.0.15" proto=3 id=0 mode="standalone" role="master" modules=[]}
        client getname                      -> "me"
        hello                               -> {server="redis" version="7.0.15" proto=3 id=0 mode="standalone" role="master" modules=[]}
        hello 2                             -> {server="redis" version="7.0.15" proto=2 id=0 mode="standalone" role="master" modules=[]}
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
        command docs                -> {}
        config get save             -> {save=""}
        config get appendonly save  -> {save="" appendonly="no"}
        config get nothing          -> {}
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
    assert_eq!(
        obey(&mut store, &mut Profile::default(), &long),
        Reply::Error(error.into())
    );
}

#[test]
fn what_is_full_takes_no_more() {
    let mut store = Store::new(Instant::now());
    store.set(
        b"big",
        vec![0; crate::store::MAX_BYTES],
        crate::store::Expiry::Never,
    );
    let mut obey = |request: &str| {
        shown(&obey(
            &mut store,
            &mut Profile::default(),
            &split(request.as_bytes()).unwrap(),
        ))
    };
    assert_eq!(
        obey("set k v"),
        "OOM command not allowed when used memory > 'maxmemory'."
    );
    assert_eq!(
        obey("incr n"),
        "OOM command not allowed when used memory > 'maxmemory'."
    );
    assert_eq!(obey("mget big"), "ERR the values exceed the longest reply");
    assert_eq!(obey("get k"), "nil");
    assert_eq!(obey("del big"), "1");
    assert_eq!(obey("set k v"), "OK");
}
