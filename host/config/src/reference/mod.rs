//! What documents say about options: tables in Markdown, and the commented example.

mod example;

use crate::options::{
    HostSettings, Level, Listed, ListenerSettings, Opt, Options, ServiceSettings,
};
use crate::schema;
use crate::value::Number;
use std::fmt::Write;

/// Lines of comments have at most this many columns.
const COLUMNS: usize = 100;

/// A flag of `serve`, its variable, and its help.
pub type Flag = (String, String, String);

/// The text with this name, if there is one. `flags` are all that `serve` has: some are no options
/// of the file.
pub fn text(name: &str, flags: &[Flag]) -> Option<String> {
    Some(match name {
        "options" => options(flags),
        "keys" => keys(),
        "limits" => limits(true),
        "bounds" => limits(false),
        "fixed" => fixed(),
        "schema" => schema(),
        "example" => example::example(),
        _ => return None,
    })
}

fn of<S: Options>() -> impl Iterator<Item = &'static Opt> {
    S::options().iter().map(|(option, _)| option)
}

fn all() -> impl Iterator<Item = &'static Opt> {
    of::<HostSettings>()
        .chain(of::<ServiceSettings>())
        .chain(of::<ListenerSettings>())
}

/// The flag of an option, as people write it.
fn flag(option: &Opt) -> Option<String> {
    let flag = option.flag?;
    Some(if flag.starts_with(char::is_uppercase) {
        flag.to_owned()
    } else {
        format!("--{flag}")
    })
}

fn options(flags: &[Flag]) -> String {
    let mut table = "| option | variable | default | meaning |\n|---|---|---|---|\n".to_owned();
    let mut options: Vec<_> = of::<ServiceSettings>()
        .chain(of::<HostSettings>())
        .chain(of::<ListenerSettings>())
        .collect();
    options.sort_by_key(|option| option.about.group);
    for option in options {
        let (Some(flag), Some(variable)) = (flag(option), option.variable) else {
            continue;
        };
        let default = default(option, |text| text.to_owned());
        let default = default.unwrap_or_else(|| "none".to_owned());
        let list = match (option.form.number, option.about.listed) {
            (Number::Many | Number::Pairs, Listed::Lines) => ". List (lines)",
            (Number::Many | Number::Pairs, _) => ". List (commas)",
            _ => "",
        };
        let help = option.help;
        row(
            &mut table,
            &[
                &code(&flag),
                &code(variable),
                &default,
                &format!("{help}{list}{}", values(option)),
            ],
        );
    }
    let is_declared = |variable: &str| all().any(|option| option.variable == Some(variable));
    for (flag, variable, help) in flags.iter().filter(|it| !is_declared(&it.1)) {
        row(&mut table, &[&code(flag), &code(variable), "none", help]);
    }
    table
}

fn keys() -> String {
    let mut table = "| key | of | default | reload | meaning |\n|---|---|---|---|---|\n".to_owned();
    for option in all() {
        let level = match option.level {
            Level::Host => "host",
            Level::Service => "service",
            Level::Listener => "listener",
        };
        let default = default(option, |text| toml(option, text));
        let default = default.unwrap_or_else(|| match option.form.number {
            Number::Switch => code("false"),
            Number::Pairs => code("{}"),
            Number::Many | Number::Tables => code("[]"),
            Number::One => "none".to_owned(),
        });
        let reload = if option.about.is_fixed {
            "restart"
        } else {
            "yes"
        };
        row(
            &mut table,
            &[
                &code(option.key),
                level,
                &default,
                reload,
                &format!("{}{}", option.help, values(option)),
            ],
        );
    }
    table
}

fn limits(counted: bool) -> String {
    let mut table = if counted {
        "| limit | default | unit | what the client sees | what the log says | metric |\n|---|---|---|---|---|---|\n"
    } else { "| bound | default | unit | what happens |\n|---|---|---|---|\n" }
    .to_owned();
    let reached = all().filter_map(|option| Some((option, option.about.reached?)));
    for (option, reached) in reached.filter(|(_, it)| it.log.is_some() == counted) {
        let flag = code(&flag(option).unwrap_or_else(|| option.key.to_owned()));
        let default = option.default_text().unwrap_or_default();
        if counted {
            row(
                &mut table,
                &[
                    &flag,
                    &default,
                    reached.unit,
                    reached.client,
                    reached.log.unwrap_or_default(),
                    &code(option.key),
                ],
            )
        } else {
            row(&mut table, &[&flag, &default, reached.unit, reached.client])
        }
    }
    table
}

/// The keys that a reload does not change.
fn fixed() -> String {
    let keys = all().filter(|option| option.about.is_fixed);
    let keys: Vec<_> = keys.map(|option| code(option.key)).collect();
    wrapped("", &format!("{}.", keys.join(", ")))
}

fn row(table: &mut String, cells: &[&str]) {
    for cell in cells {
        // Writing to a String cannot fail.
        let _ = write!(table, "| {} ", cell.replace('|', "\\|"));
    }
    table.push_str("|\n");
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// The default, whose value is written as code, with what restricts it.
fn default(option: &Opt, value: impl Fn(&str) -> String) -> Option<String> {
    let is_switch = option.form.number == Number::Switch;
    let default = option.default.filter(|_| !is_switch);
    match (default, option.about.otherwise) {
        (Some(default), Some(otherwise)) => Some(format!("{}, {otherwise}", code(&value(default)))),
        (Some(default), None) => Some(code(&value(default))),
        (None, otherwise) => otherwise.map(str::to_owned),
    }
}

/// The values that can be listed.
fn values(option: &Opt) -> String {
    let names: Vec<_> = option
        .form
        .choices
        .0
        .iter()
        .map(|name| code(name))
        .collect();
    match &names[..] {
        [first @ .., last] => format!(" ({} or {last})", first.join(", ")),
        [] => String::new(),
    }
}

/// A value in TOML.
fn toml(option: &Opt, text: &str) -> String {
    let types = option.form.types;
    let is_number = types.contains(&"integer") && text.parse::<u64>().is_ok();
    let is_bare = is_number || types.contains(&"boolean") || text.starts_with('{');
    let value = if is_bare {
        text.to_owned()
    } else {
        format!("{text:?}")
    };
    match option.form.number {
        Number::Many | Number::Tables => format!("[{value}]"),
        _ => value,
    }
}

/// The words on lines of at most [`COLUMNS`].
fn wrapped(begin: &str, words: &str) -> String {
    let mut text = String::new();
    let mut line = String::new();
    for word in words.split(' ') {
        if !line.is_empty()
            && begin.len() + line.chars().count() + 1 + word.chars().count() > COLUMNS
        {
            let _ = writeln!(text, "{begin}{line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(text, "{begin}{line}");
    text
}
