//! A store of texts: its values outlive connections, instances and versions of this handler.
//!
//! They are in the host's memory, or in Redis (`--keyvalue redis://…`), where several hosts share
//! them. This file answers lines; `command.rs` reads them.

mod command;

use command::Command;
use echo_host_guest::keyvalue::{self, Bucket};
use echo_host_guest::text;

echo_host_guest::responder!(respond, framing: "lines", max_message_bytes: 4096);

const BUCKET: &str = "{{name}}";
const HELP: &str = "ok GET KEY, SET KEY VALUE, ADD KEY NUMBER, DELETE KEY, KEYS\n";

/// Computes the reply to one line.
fn respond(line: Vec<u8>) -> String {
    let Ok(line) = text(line) else {
        return "error the line is not UTF-8\n".to_owned();
    };
    match Command::read(&line) {
        Ok(command) => answer(command).unwrap_or_else(|error| format!("error {error}\n")),
        Err(reason) => format!("error {reason}\n"),
    }
}

fn answer(command: Command) -> keyvalue::Result<String> {
    let values = keyvalue::open(BUCKET)?;
    match command {
        Command::Get(key) => Ok(match values.get_text(key)? {
            Some(value) => format!("ok {value}\n"),
            None => format!("error `{key}` has no value\n"),
        }),
        Command::Set(key, value) => {
            values.set(key, value)?;
            Ok("ok\n".to_owned())
        }
        Command::Add(key, number) => Ok(format!("ok {}\n", values.increment(key, number)?)),
        Command::Delete(key) => {
            values.delete(key)?;
            Ok("ok\n".to_owned())
        }
        Command::Keys => keys(&values),
        Command::Help => Ok(HELP.to_owned()),
    }
}

fn keys(values: &Bucket) -> keyvalue::Result<String> {
    let keys = values.keys()?;
    let lines: String = keys.iter().map(|key| format!("{key}\n")).collect();
    Ok(format!("{lines}ok {} keys\n", keys.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use echo_host_guest::testing;

    #[test]
    fn values_are_kept() {
        for (line, reply) in [
            ("GET colour", "error `colour` has no value\n"),
            ("SET colour light blue", "ok\n"),
            ("GET colour", "ok light blue\n"),
            ("ADD visits 1", "ok 1\n"),
            ("ADD visits 41", "ok 42\n"),
            ("KEYS", "colour\nvisits\nok 2 keys\n"),
            ("DELETE colour", "ok\n"),
            ("KEYS", "visits\nok 1 keys\n"),
            ("HELP", HELP),
        ] {
            assert_eq!(respond(line.into()), reply, "{line}");
        }
    }

    #[test]
    fn what_fails_is_told() {
        assert_eq!(respond(vec![0xff]), "error the line is not UTF-8\n");
        assert!(respond("SING".into()).starts_with("error unknown command"));
        respond("SET word hello".into());
        assert!(respond("ADD word 1".into()).starts_with("error "));
        testing::keyvalue::fail(keyvalue::Error::Other("Redis does not respond".to_owned()));
        assert_eq!(respond("KEYS".into()), "error Redis does not respond\n");
        testing::keyvalue::clear();
    }
}
