//! The key-value store, with Redis's own clients.

use super::{Talker, assert_replies, client, whole};
use crate::fixture::{DEADLINE, Finished, Host, guest, needs, root, run, tool};
use std::process::Command;
use std::time::Instant;

fn serve() -> Host {
    Host::serve(&[&guest("kv"), "--isolation", "shared"])
}

fn redis(program: &str, host: &Host, args: &[&str], input: &[u8]) -> Finished {
    let address = host.address();
    let mut command = tool(program);
    command
        .args(["-h", &address.ip().to_string()])
        .args(["-p", &address.port().to_string()])
        .args(args);
    run(&mut command, input)
}

/// The output of redis-cli for one command.
fn cli(host: &Host, args: &[&str]) -> String {
    let finished = redis("redis-cli", host, args, b"");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    finished.stdout.trim_end().to_owned()
}

#[test]
fn redis_cli_keeps_values() {
    let host = serve();
    for (command, reply) in [
        (&["PING"][..], "PONG"),
        (&["SET", "key", "a value\r\nof two lines"], "OK"),
        (&["GET", "key"], "a value\r\nof two lines"),
        (&["GET", "nothing"], ""),
        (&["SET", "key", "other", "NX"], ""),
        (&["INCR", "n"], "1"),
        (&["MSET", "a", "1", "b", "2"], "OK"),
        (&["MGET", "a", "b"], "1\n2"),
        (&["DBSIZE"], "4"),
        (&["DEL", "a", "b", "c"], "2"),
        (&["EXPIRE", "key", "100"], "1"),
        (&["TTL", "n"], "-1"),
        (&["CONFIG", "GET", "appendonly"], "appendonly\nno"),
        (&["COMMAND", "DOCS", "GET"], ""),
        (&["-n", "0", "GET", "n"], "1"),
        (&["FLUSHALL"], "OK"),
        (&["EXISTS", "key"], "0"),
    ] {
        assert_eq!(cli(&host, command), reply, "{command:?}");
    }
    assert!(cli(&host, &["INFO"]).contains("redis_version:"));
}

#[test]
fn mistakes_are_explained_in_redis_own_words() {
    let host = serve();
    for (command, error) in [
        (
            &["FOO", "a", "b"][..],
            "ERR unknown command 'FOO', with args beginning with: 'a' 'b'",
        ),
        (&["GET"], "ERR wrong number of arguments for 'get' command"),
        (
            &["SET", "k", "v", "EX", "x"],
            "ERR value is not an integer or out of range",
        ),
        (
            &["SET", "k", "v", "EX", "0"],
            "ERR invalid expire time in 'set' command",
        ),
        (&["SET", "k", "v", "NX", "XX"], "ERR syntax error"),
        (&["SELECT", "1"], "ERR DB index is out of range"),
    ] {
        assert_eq!(cli(&host, command), error);
    }
}

#[test]
fn redis_cli_inserts_in_bulk() {
    let host = serve();
    let mut input = Vec::new();
    for number in 0..5000 {
        input.extend(format!("SET key:{number} {number}\r\n").into_bytes());
    }
    let finished = redis("redis-cli", &host, &["--pipe"], &input);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(
        finished.stdout.contains("errors: 0, replies: 5000"),
        "{finished:?}"
    );
    assert_eq!(cli(&host, &["DBSIZE"]), "5000");
    assert_eq!(cli(&host, &["GET", "key:4999"]), "4999");
}

#[test]
fn redis_benchmark_finds_no_fault() {
    let host = serve();
    let args = "-P 16 -n 20000 -c 20 -t ping,set,get,incr,mset -q";
    let args: Vec<_> = args.split(' ').collect();
    let finished = redis("redis-benchmark", &host, &args, b"");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(finished.stderr, "");
    let results: Vec<_> = finished.stdout.split(['\r', '\n']).collect();
    for test in [
        "PING_INLINE",
        "PING_MBULK",
        "SET",
        "GET",
        "INCR",
        "MSET (10 keys)",
    ] {
        let is_result = |line: &&str| {
            line.starts_with(&format!("{test}: ")) && line.contains("requests per second")
        };
        assert!(results.iter().any(is_result), "{test}: {results:?}");
    }
    assert!(!finished.stdout.contains("rror"), "{}", finished.stdout);
    // No increment was lost.
    assert_eq!(cli(&host, &["GET", "counter:__rand_int__"]), "20000");
}

#[test]
fn connections_share_what_is_kept() {
    let host = serve();
    let (mut first, mut second) = (Talker::connect(&host), Talker::connect(&host));
    first.says("set k v");
    assert_eq!(first.hears(), "+OK");
    second.says("get k");
    assert_eq!((second.hears(), second.hears()), ("$1".into(), "v".into()));
}

#[test]
fn keys_expire() {
    let host = serve();
    let mut talker = Talker::connect(&host);
    talker.says("set long v ex 100");
    assert_eq!(talker.hears(), "+OK");
    talker.says("set short v px 100");
    assert_eq!(talker.hears(), "+OK");
    let begin = Instant::now();
    loop {
        talker.says("exists short");
        if talker.hears() == ":0" {
            break;
        }
        assert!(begin.elapsed() < DEADLINE, "it does not expire");
    }
    talker.says("exists long");
    assert_eq!(talker.hears(), ":1");
}

#[test]
fn cuts_change_nothing() {
    // Each client has an instance, and so a store, of its own.
    let host = Host::serve(&[&guest("kv")]);
    assert_replies(
        &host,
        b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$6\r\na\r\n\r\nb\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n\
          incr n\r\n\r\n*0\r\nset q 'x y'\nget q\r\n*1\r\n$3\r\nFOO\r\n\
          *3\r\n$4\r\nMGET\r\n$1\r\nk\r\n$1\r\nz\r\n*1\r\n$4\r\nQUIT\r\n",
        "+OK\r\n$6\r\na\r\n\r\nb\r\n:1\r\n+OK\r\n$3\r\nx y\r\n\
         -ERR unknown command 'FOO', with args beginning with: \r\n\
         *2\r\n$6\r\na\r\n\r\nb\r\n$-1\r\n+OK\r\n",
        whole,
    );
}

#[test]
fn nonsense_ends_the_connection() {
    let host = serve();
    for (nonsense, error) in [
        ("*x\r\n", "invalid multibulk length"),
        ("*1\r\nx\r\n", "expected '$', got 'x'"),
        ("*1\r\n$524289\r\n", "invalid bulk length"),
        ("get \"k\r\n", "unbalanced quotes in request"),
    ] {
        let mut client = host.connect();
        client.send(format!("PING\r\n{nonsense}"));
        client.expect(format!("+PONG\r\n-ERR Protocol error: {error}\r\n"));
        client.expect_closed();
    }
}

#[test]
fn who_asks_for_more_than_they_read_gets_all_of_it() {
    const ASKED: usize = 400;
    let host = serve();
    let value = "v".repeat(100_000);
    let mut client = host.connect();
    client.send(format!(
        "*3\r\n$3\r\nset\r\n$1\r\nk\r\n$100000\r\n{value}\r\n"
    ));
    client.expect("+OK\r\n");
    // These replies would fit neither into the instance's memory nor into the host's queue.
    client.send("get k\r\n".repeat(ASKED));
    client.finish();
    let reply = format!("$100000\r\n{value}\r\n");
    for _ in 0..ASKED {
        client.expect(&reply);
    }
    client.expect_closed();
}

#[test]
fn a_full_store_refuses_and_lives_on() {
    let host = serve();
    let mut talker = Talker::connect(&host);
    let value = "v".repeat(300_000);
    let full = (0..1000).find(|number| {
        talker.says(&format!(
            "*3\r\n$3\r\nset\r\n$3\r\n{number:03}\r\n$300000\r\n{value}\r"
        ));
        talker.hears() != "+OK"
    });
    assert!(full.is_some_and(|number| number > 10), "{full:?}");
    talker.says("set k v");
    assert_eq!(
        talker.hears(),
        "-OOM command not allowed when used memory > 'maxmemory'."
    );
    talker.says("exists 000");
    assert_eq!(talker.hears(), ":1");
    talker.says("del 000");
    assert_eq!(talker.hears(), ":1");
    talker.says("set k v");
    assert_eq!(talker.hears(), "+OK");
}

/// The output of a script that uses the store with a library that `cargo xtask test` has installed.
fn by_library(program: &str, script: &str, host: &Host) -> Finished {
    needs("client-libraries");
    let installed = root().join("target/test-clients");
    let script = root().join("tests").join(script);
    let program = match program {
        "python" => installed.join("python/bin/python"),
        other => other.into(),
    };
    let mut command = client(Command::new(program), &[script.to_str().unwrap()], host);
    // Prevents bytecode files beside the script.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("NODE_PATH", installed.join("node_modules"));
    run(&mut command, b"")
}

#[test]
fn client_libraries_keep_values_with_their_defaults() {
    let host = serve();
    for (program, script) in [
        ("python", "python/redis_py.py"),
        ("node", "javascript/node_redis.js"),
        ("node", "javascript/ioredis.js"),
    ] {
        let finished = by_library(program, script, &host);
        assert_eq!(finished.stdout, "kept\n", "{script}: {finished:?}");
    }
}
