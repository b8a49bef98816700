//! Commands about the connection and the server.

use crate::arguments::{NOT_AN_INTEGER, SYNTAX, is, shown, wrong_number};
use crate::integer::parse_integer;
use crate::reply::{Failure, Reply};
use crate::store::{MAX_BYTES, Store};

/// The version of Redis whose behaviour this server imitates.
pub const IMITATED: &str = "7.0.15";

type Result = std::result::Result<Reply, Failure>;

pub fn ping(_: &mut Store, arguments: &[Vec<u8>]) -> Result {
    Ok(match arguments {
        [] => Reply::Simple("PONG"),
        [text, ..] => Reply::bulk(&**text),
    })
}

pub fn echo(_: &mut Store, arguments: &[Vec<u8>]) -> Result {
    Ok(Reply::bulk(&*arguments[0]))
}

/// The connection closes after this reply.
pub fn quit(_: &mut Store, _: &[Vec<u8>]) -> Result {
    Ok(Reply::OK)
}

/// There is one database.
pub fn select(_: &mut Store, arguments: &[Vec<u8>]) -> Result {
    match parse_integer(&arguments[0]) {
        Some(0) => Ok(Reply::OK),
        Some(number) if i32::try_from(number).is_ok() => Err("ERR DB index is out of range".into()),
        _ => Err(NOT_AN_INTEGER),
    }
}

pub fn dbsize(store: &mut Store, _: &[Vec<u8>]) -> Result {
    Ok(Reply::Integer(store.len() as i64))
}

pub fn flushall(store: &mut Store, arguments: &[Vec<u8>]) -> Result {
    let is_how = |word: &Vec<u8>| is(word, "async") || is(word, "sync");
    if !arguments.iter().all(is_how) {
        return Err(SYNTAX);
    }
    store.clear();
    Ok(Reply::OK)
}

/// Clients request descriptions of commands, to help their users. They work without.
pub fn command(_: &mut Store, arguments: &[Vec<u8>]) -> Result {
    Ok(match arguments {
        [subcommand, ..] if is(subcommand, "docs") => Reply::Map(Vec::new()),
        _ => Reply::Array(Vec::new()),
    })
}

/// Returns the settings that clients request, such as redis-benchmark.
pub fn config(_: &mut Store, arguments: &[Vec<u8>]) -> Result {
    let [subcommand, names @ ..] = arguments else {
        return Err(wrong_number("config"));
    };
    if !is(subcommand, "get") {
        let subcommand = shown(subcommand);
        return Err(format!("ERR unknown subcommand '{subcommand}'. Try CONFIG HELP.").into());
    }
    if names.is_empty() {
        return Err(wrong_number("config|get"));
    }
    let settings = [
        ("save", String::new()),
        ("appendonly", "no".to_owned()),
        ("databases", "1".to_owned()),
        ("maxmemory", MAX_BYTES.to_string()),
        ("maxmemory-policy", "noeviction".to_owned()),
    ];
    let wanted = settings
        .into_iter()
        .filter(|(setting, _)| names.iter().any(|name| is(name, setting) || is(name, "*")));
    let pairs = wanted.map(|(setting, value)| (setting, Reply::bulk(value)));
    Ok(Reply::Map(pairs.collect()))
}

pub fn info(store: &mut Store, _: &[Vec<u8>]) -> Result {
    let keys = store.len();
    let lines = [
        "# Server".to_owned(),
        format!("redis_version:{IMITATED}"),
        "redis_mode:standalone".to_owned(),
        format!("server_name:echo-host kv {}", env!("CARGO_PKG_VERSION")),
        String::new(),
        "# Memory".to_owned(),
        format!("used_memory:{}", store.bytes()),
        format!("maxmemory:{MAX_BYTES}"),
        String::new(),
        "# Keyspace".to_owned(),
        format!("db0:keys={keys}"),
        String::new(),
    ];
    Ok(Reply::Text(lines.join("\r\n")))
}
