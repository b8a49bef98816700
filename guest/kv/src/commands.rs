//! Which commands there are, and what is said when there is no such command.

use crate::arguments::{is, wrong_number};
use crate::reply::{Failure, Reply};
use crate::store::Store;
use crate::{keys, server, set};
use std::ops::RangeInclusive;

/// What a command makes of its arguments, its name not among them.
type Run = fn(&mut Store, &[Vec<u8>]) -> Result<Reply, Failure>;

struct Command {
    name: &'static str,
    /// How many arguments it takes.
    arguments: RangeInclusive<usize>,
    /// Whether it may add to what is kept.
    grows: bool,
    run: Run,
}

const MANY: usize = usize::MAX;

const COMMANDS: [Command; 19] = [
    reads("command", 0..=MANY, server::command),
    reads("config", 1..=MANY, server::config),
    reads("dbsize", 0..=0, server::dbsize),
    reads("echo", 1..=1, server::echo),
    reads("flushall", 0..=1, server::flushall),
    reads("info", 0..=MANY, server::info),
    reads("ping", 0..=1, server::ping),
    reads("quit", 0..=MANY, server::quit),
    reads("select", 1..=1, server::select),
    reads("del", 1..=MANY, keys::del),
    reads("exists", 1..=MANY, keys::exists),
    reads("expire", 2..=2, keys::expire),
    reads("get", 1..=1, keys::get),
    reads("mget", 1..=MANY, keys::mget),
    reads("ttl", 1..=1, keys::ttl),
    grows("decr", 1..=1, keys::decr),
    grows("incr", 1..=1, keys::incr),
    grows("mset", 2..=MANY, keys::mset),
    grows("set", 2..=MANY, set::set),
];

const fn reads(name: &'static str, arguments: RangeInclusive<usize>, run: Run) -> Command {
    Command {
        name,
        arguments,
        grows: false,
        run,
    }
}

const fn grows(name: &'static str, arguments: RangeInclusive<usize>, run: Run) -> Command {
    Command {
        grows: true,
        ..reads(name, arguments, run)
    }
}

/// Obeys a request, which has a name at least.
pub fn obey(store: &mut Store, request: &[Vec<u8>]) -> Reply {
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
    (command.run)(store, arguments).unwrap_or_else(Reply::Error)
}

fn unknown(name: &[u8], arguments: &[Vec<u8>]) -> Failure {
    /// So many characters of each are shown, and so many of all arguments.
    const SHOWN: usize = 128;
    let mut shown = String::new();
    for argument in arguments {
        let left = SHOWN.saturating_sub(shown.len());
        if left == 0 {
            break;
        }
        shown += &format!("'{}' ", beginning(argument, left));
    }
    let name = beginning(name, SHOWN);
    format!("ERR unknown command '{name}', with args beginning with: {shown}").into()
}

fn beginning(text: &[u8], length: usize) -> String {
    String::from_utf8_lossy(&text[..length.min(text.len())]).into_owned()
}

#[cfg(test)]
mod tests;
