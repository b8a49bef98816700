//! The table of commands, and the reply to an unknown one.

use crate::arguments::{is, shown, wrong_number};
use crate::profile::{self, Profile};
use crate::reply::{Failure, Reply};
use crate::store::Store;
use crate::{keys, scan, server, set};
use std::ops::RangeInclusive;

/// Executes a command with its arguments, without its name.
#[derive(Clone, Copy)]
enum Run {
    OnStore(fn(&mut Store, &[Vec<u8>]) -> Result<Reply, Failure>),
    OnClient(fn(&mut Profile, &[Vec<u8>]) -> Result<Reply, Failure>),
}

struct Command {
    name: &'static str,
    /// Number of arguments.
    arguments: RangeInclusive<usize>,
    /// Whether it may store more data.
    grows: bool,
    run: Run,
}

const MANY: usize = usize::MAX;

const COMMANDS: [Command; 33] = [
    of_client("client", 1..=MANY, profile::client),
    of_client("hello", 0..=MANY, profile::hello),
    reads("command", 0..=MANY, server::command),
    reads("config", 1..=MANY, server::config),
    reads("dbsize", 0..=0, server::dbsize),
    reads("echo", 1..=1, server::echo),
    reads("flushall", 0..=1, server::flushall),
    reads("flushdb", 0..=1, server::flushall),
    reads("info", 0..=MANY, server::info),
    reads("ping", 0..=1, server::ping),
    reads("quit", 0..=MANY, server::quit),
    reads("select", 1..=1, server::select),
    reads("del", 1..=MANY, keys::del),
    reads("exists", 1..=MANY, keys::exists),
    reads("expire", 2..=2, keys::expire),
    reads("get", 1..=1, keys::get),
    reads("keys", 1..=1, scan::keys),
    reads("mget", 1..=MANY, keys::mget),
    reads("pexpire", 2..=2, keys::pexpire),
    reads("pttl", 1..=1, keys::pttl),
    reads("scan", 1..=MANY, scan::scan),
    reads("ttl", 1..=1, keys::ttl),
    reads("type", 1..=1, keys::kind),
    reads("unlink", 1..=MANY, keys::del),
    grows("decr", 1..=1, keys::decr),
    grows("decrby", 2..=2, keys::decrby),
    grows("incr", 1..=1, keys::incr),
    grows("incrby", 2..=2, keys::incrby),
    grows("mset", 2..=MANY, keys::mset),
    grows("psetex", 3..=3, set::psetex),
    grows("set", 2..=MANY, set::set),
    grows("setex", 3..=3, set::setex),
    grows("setnx", 2..=2, set::setnx),
];

const fn of_client(
    name: &'static str,
    arguments: RangeInclusive<usize>,
    run: fn(&mut Profile, &[Vec<u8>]) -> Result<Reply, Failure>,
) -> Command {
    Command {
        name,
        arguments,
        grows: false,
        run: Run::OnClient(run),
    }
}

const fn reads(
    name: &'static str,
    arguments: RangeInclusive<usize>,
    run: fn(&mut Store, &[Vec<u8>]) -> Result<Reply, Failure>,
) -> Command {
    Command {
        name,
        arguments,
        grows: false,
        run: Run::OnStore(run),
    }
}

const fn grows(
    name: &'static str,
    arguments: RangeInclusive<usize>,
    run: fn(&mut Store, &[Vec<u8>]) -> Result<Reply, Failure>,
) -> Command {
    Command {
        grows: true,
        ..reads(name, arguments, run)
    }
}

/// Executes a request, which has at least a name.
pub fn obey(store: &mut Store, profile: &mut Profile, request: &[Vec<u8>]) -> Reply {
    let Some((name, arguments)) = request.split_first() else {
        return Reply::Error("ERR unknown command ''".into());
    };
    let found = COMMANDS.iter().find(|command| is(name, command.name));
    let Some(command) = found else {
        return Reply::Error(unknown(name, arguments));
    };
    if !command.arguments.contains(&arguments.len()) {
        return Reply::Error(wrong_number(command.name));
    }
    if command.grows && !store.has_room() {
        return Reply::Error("OOM command not allowed when used memory > 'maxmemory'.".into());
    }
    let reply = match command.run {
        Run::OnStore(run) => run(store, arguments),
        Run::OnClient(run) => run(profile, arguments),
    };
    reply.unwrap_or_else(Reply::Error)
}

fn unknown(name: &[u8], arguments: &[Vec<u8>]) -> Failure {
    /// Maximum number of characters shown of each argument, and of all together.
    const SHOWN: usize = 128;
    let mut listed = String::new();
    for argument in arguments {
        let left = SHOWN.saturating_sub(listed.len());
        if left == 0 {
            break;
        }
        listed += &format!("'{}' ", beginning(argument, left));
    }
    let name = shown(name);
    format!("ERR unknown command '{name}', with args beginning with: {listed}").into()
}

fn beginning(text: &[u8], length: usize) -> String {
    String::from_utf8_lossy(&text[..length.min(text.len())]).into_owned()
}

#[cfg(test)]
mod tests;
