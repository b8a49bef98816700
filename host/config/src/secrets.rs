//! Hides values of a configuration file that no message may show: those of secret options, and of
//! keys that nobody knows.

use super::diagnostics::stand_in;
use super::options::{HostSettings, ListenerSettings, Opt, Options, ServiceSettings};
use std::ops::Range;
use toml::Spanned;
use toml::de::DeValue;

type Value<'t> = Spanned<DeValue<'t>>;

fn of<S: Options>() -> impl Iterator<Item = &'static Opt> {
    S::options().iter().map(|(option, _)| option)
}

/// The text of a file with this content without its secrets, and without `more`.
pub fn hide(text: &str, root: &Value<'_>, more: Vec<Range<usize>>) -> String {
    let mut secrets = more;
    for (key, value) in entries(root) {
        if key != "service" {
            collect::<HostSettings>(key, value, &mut secrets);
            continue;
        }
        let services = items(value).iter().flat_map(entries);
        for (key, value) in services.flat_map(|(_, service)| entries(service)) {
            if key != "listen" {
                collect::<ServiceSettings>(key, value, &mut secrets);
                continue;
            }
            for (key, value) in items(value).iter().flat_map(entries) {
                collect::<ListenerSettings>(key, value, &mut secrets);
            }
        }
    }
    let mut is_secret = vec![false; text.len()];
    for span in secrets {
        is_secret[span].fill(true);
    }
    let shown = |(at, char): (usize, char)| match char {
        '\n' | '\r' | '"' | '\'' => char,
        _ if is_secret[at] => stand_in(char, '*'),
        _ => char,
    };
    text.char_indices().map(shown).collect()
}

/// The entries of a table.
fn entries<'a, 't>(value: &'a Value<'t>) -> impl Iterator<Item = (&'a str, &'a Value<'t>)> {
    let table = value.get_ref().as_table().into_iter().flatten();
    table.map(|(key, value)| (&**key.get_ref(), value))
}

/// The items of a list, or what stands in its place.
fn items<'a, 't>(value: &'a Value<'t>) -> &'a [Value<'t>] {
    match value.get_ref() {
        DeValue::Array(items) => items,
        _ => std::slice::from_ref(value),
    }
}

/// The value of this key, if it may not be shown.
fn collect<S: Options>(key: &str, value: &Value<'_>, secrets: &mut Vec<Range<usize>>) {
    let is_secret = match of::<S>().find(|it| it.key == key) {
        Some(option) => option.about.is_secret,
        // It may be a secret one, misspelled.
        None => true,
    };
    if is_secret {
        leaves(value, secrets);
    }
}

fn all() -> impl Iterator<Item = &'static Opt> {
    let host = of::<HostSettings>().chain(of::<ServiceSettings>());
    host.chain(of::<ListenerSettings>())
}

fn leaves(value: &Value<'_>, found: &mut Vec<Range<usize>>) {
    match value.get_ref() {
        DeValue::Array(items) => items.iter().for_each(|item| leaves(item, found)),
        DeValue::Table(_) => entries(value).for_each(|(_, value)| leaves(value, found)),
        _ => found.push(value.span()),
    }
}

/// The text of a file that is not TOML without what may be a secret: lines whose key is unknown,
/// and those behind a key with secrets, until a table begins.
pub fn hide_lines(text: &str) -> String {
    let is_word = |char: char| char.is_alphanumeric() || char == '-' || char == '_';
    let mut is_behind_secret = false;
    let lines = text.split_inclusive('\n').map(|line| {
        let is_header = line.trim_start().starts_with('[');
        let is_secret = line
            .split(|char| !is_word(char))
            .any(|word| all().any(|option| option.about.is_secret && option.key == word));
        is_behind_secret = is_secret || is_behind_secret && !is_header;
        // A line without a value is no setting: all of it may be a part of a secret.
        let (key, value) = line.split_at(line.find('=').unwrap_or_default());
        let is_known = all().any(|option| option.key == key.trim());
        if is_header && !is_secret || is_known && !is_behind_secret {
            return line.to_owned();
        }
        let hidden = |text: &str| -> String {
            let hidden = text.chars().map(|char| match char {
                _ if char.is_alphanumeric() => stand_in(char, '*'),
                _ => char,
            });
            hidden.collect()
        };
        format!("{key}{}", hidden(value))
    });
    lines.collect()
}
