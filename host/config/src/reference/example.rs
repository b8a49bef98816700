//! The commented example of a configuration file.

use super::{of, toml, values, wrapped};
use crate::options::{HostSettings, ListenerSettings, Opt, Scope, ServiceSettings};
use crate::value::Number;
use std::fmt::Write;

const HEAD: &str = r#"#:schema ./echo-host.schema.json

# Written by `cargo xtask reference`.
#
# A complete configuration of echo-host: it has every key, with its default. Keys without a default
# are comments. Serve it with
#
#     echo-host serve --config echo-host.example.toml
#
# `echo-host check --config FILE` checks a file. After a change, `echo-host reload` or SIGHUP applies
# it without a restart. Options of serve, and their variables, override what a file says.
#
# Sizes are written as 512, "64KiB" or "1MB", times as "500ms", "1s" or "2min". Relative paths begin
# in the folder of the file.

# --- The host ---
"#;

const SERVICE: &str = r#"
# --- A service ---

# There may be any number of services. Each has its own handler and settings.
[service.echo]
"#;

const LISTENERS: &str = r#"
# --- Listeners as tables ---

# Another service, in comments because its files are not there: a listener of each kind.

# [service.listeners]
"#;

/// Listeners that show the options for their kind.
const KINDS: [(&str, &[Scope], bool); 7] = [
    (
        "tcp://0.0.0.0:7000",
        &[Scope::All, Scope::Connections, Scope::Sockets],
        false,
    ),
    ("tls://0.0.0.0:7443", &[Scope::Tls], false),
    ("tls://127.0.0.1:7444", &[Scope::Tls], true),
    ("telnet://127.0.0.1:2323", &[Scope::Telnet], false),
    ("ws://127.0.0.1:7080/chat", &[Scope::WebSocket], false),
    ("udp://127.0.0.1:7001", &[Scope::Udp], false),
    ("unix:/run/echo-host/echo.sock", &[Scope::Unix], false),
];

pub fn example() -> String {
    let mut text = HEAD.to_owned();
    let is_table = |option: &&Opt| option.form.number == Number::Tables;
    for option in of::<HostSettings>().filter(|option| !is_table(option)) {
        entry(&mut text, option);
    }
    text.push_str(SERVICE);
    of::<ServiceSettings>().for_each(|option| entry(&mut text, option));
    text.push_str(LISTENERS);
    for (uri, scopes, is_self_signed) in KINDS {
        let _ = write!(text, "\n# [[service.listeners.listen]]\n# uri = {uri:?}\n");
        let of_kind = of::<ListenerSettings>().filter(|option| {
            // A certificate of one's own is there or made, not both.
            let is_switch = option.form.number == Number::Switch;
            option.key != "uri"
                && scopes.contains(&option.about.scope)
                && is_switch == is_self_signed
        });
        for option in of_kind {
            let value = match option.form.number {
                Number::Switch => "true".to_owned(),
                _ => toml(
                    option,
                    option.about.sample.or(option.default).unwrap_or_default(),
                ),
            };
            text.push_str(&wrapped("# # ", &comment(option)));
            let _ = writeln!(text, "# {} = {value}", option.key);
        }
    }
    text
}

/// A key with its default, or else a value in a comment.
fn entry(text: &mut String, option: &Opt) {
    let comment = comment(option);
    let _ = write!(text, "\n{}", wrapped("# ", &comment));
    let key = option.key;
    let _ = match (option.default, option.about.otherwise, option.form.number) {
        (Some(default), None, _) => writeln!(text, "{key} = {}", toml(option, default)),
        (None, None, Number::Many) => writeln!(text, "{key} = []"),
        (None, None, Number::Pairs) => writeln!(text, "{key} = {{}}"),
        (default, _, _) => {
            let sample = option.about.sample.or(default).unwrap_or_default();
            writeln!(text, "# {key} = {}", toml(option, sample))
        }
    };
}

fn comment(option: &Opt) -> String {
    let values = values(option);
    let mut comment = format!("{}{values}.", option.help);
    if let Some(otherwise) = option.about.otherwise {
        let _ = match option.default {
            Some(default) => write!(comment, " Default: {default}, {otherwise}."),
            None => write!(comment, " Default: {otherwise}."),
        };
    }
    comment.replace('`', "")
}
