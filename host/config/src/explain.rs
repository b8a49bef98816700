//! What serde says about a value, in words for people.

use super::diagnostics::Mistake;
use super::document::{Fault, Step};
use super::options::{HostSettings, Level, ListenerSettings, Options, ServiceSettings};

/// Names that are less alike than this, of at most 1, are not mistaken for each other.
pub const ALIKE: f64 = 0.6;

/// What the types of serde and the names of Rust mean for people.
const WORDS: &[(&str, &str)] = &[
    ("a nonzero usize", "a whole number of at least 1"),
    ("a sequence", "a list"),
    ("sequence", "a list"),
    ("a map", "a table"),
    ("map", "a table"),
    ("struct ", "a table"),
    ("string", "a string"),
    ("integer", "a number"),
    ("floating", "a number with a point"),
    ("boolean", "true or false"),
    ("path string", "a path"),
    ("usize", "a whole number"),
    ("u64", "a whole number"),
];

/// What is wrong with a value of the configuration file.
pub fn in_configuration(fault: &Fault) -> Mistake {
    let mut mistake = explain(fault);
    let keys = fault
        .steps
        .iter()
        .map(|step| step.key().unwrap_or_default());
    let keys: Vec<_> = keys.collect();
    match &keys[..] {
        ["service"] => mistake.hint = Some("each service is a table: [service.NAME]".into()),
        ["service", name] if mistake.what.starts_with("invalid value") => {
            mistake.hint = Some(format!(
                "[service] needs a name: is `{name}` a key of [service.NAME]?"
            ));
        }
        [.., key] if mistake.what.starts_with("unknown key") => {
            if let Some(home) = home(key, &keys) {
                mistake.label = Some(home);
                mistake.hint = None;
            }
        }
        _ => {}
    }
    mistake
}

/// Where a key belongs that is not known where it is.
fn home(key: &str, keys: &[&str]) -> Option<String> {
    let (is_at, name) = match keys {
        [_] => (Level::Host, "NAME"),
        ["service", name, _] => (Level::Service, *name),
        ["service", name, ..] => (Level::Listener, *name),
        _ => return None,
    };
    let homes = [
        (Level::Service, knows::<ServiceSettings>(key)),
        (Level::Listener, knows::<ListenerSettings>(key)),
        (Level::Host, knows::<HostSettings>(key)),
    ];
    let mut homes = homes
        .iter()
        .filter(|(level, knows)| *knows && *level != is_at);
    Some(match homes.next()?.0 {
        Level::Service => format!("belongs to a service: [service.{name}]"),
        Level::Listener => format!("belongs to a listener: [[service.{name}.listen]]"),
        Level::Host => "belongs to the host: write it above the first [service.NAME]".into(),
    })
}

fn knows<S: Options>(key: &str) -> bool {
    S::options().iter().any(|(option, _)| option.key == key)
}

/// What is wrong with a value. The texts this looks at are those of serde's `Error` trait.
pub fn explain(Fault { steps, error }: &Fault) -> Mistake {
    let message = error.message();
    let quoted: Vec<_> = message.split('`').skip(1).step_by(2).collect();
    let key = steps.iter().rev().find_map(Step::key);
    let value = || match key {
        Some(key) => format!("invalid value of `{key}`"),
        None => "invalid value".to_owned(),
    };
    let (what, label, hint) = match &quoted[..] {
        [unknown, known @ ..] if message.starts_with("unknown field") => {
            let (label, hint) = instead(unknown, known, "keys here");
            (format!("unknown key `{unknown}`"), label, hint)
        }
        [unknown, known @ ..] if message.starts_with("unknown variant") => {
            let (label, hint) = instead(unknown, known, "values");
            (value(), label, hint)
        }
        [missing] if message.starts_with("missing field") => {
            (format!("the key `{missing}` is missing"), None, None)
        }
        _ => match message.split_once(": ") {
            Some(("invalid type" | "invalid value", types)) => {
                (value(), Some(expected(types)), None)
            }
            Some((name, label)) if name.starts_with("invalid service name") => {
                (name.to_owned(), Some(label.to_owned()), None)
            }
            _ => (value(), Some(message.to_owned()), None),
        },
    };
    Mistake {
        label,
        hint,
        ..Mistake::at(error.span(), what)
    }
}

/// `string "…", expected a map` without the value, which may be a secret in the wrong place.
fn expected(types: &str) -> String {
    let wanted = types.rsplit(", expected ").next().unwrap_or_default();
    let found = types.split([' ', ',']).next().unwrap_or_default();
    match (word(found), word(wanted)) {
        (found, wanted) if found == "a number" && wanted.starts_with("a whole number") => {
            format!("expected {wanted}")
        }
        (found, wanted) => format!("expected {wanted}, found {found}"),
    }
}

fn word(text: &str) -> &str {
    let known = WORDS.iter().find(|(serde, _)| match *serde {
        "struct " => text.starts_with(serde),
        _ => text == *serde,
    });
    known.map_or(text, |(_, word)| word)
}

/// From 0 to 1.
pub fn likeness(one: &str, other: &str) -> f64 {
    strsim::normalized_damerau_levenshtein(one, other)
}

/// The known name that was probably meant, or all there are.
fn instead(unknown: &str, known: &[&str], which: &str) -> (Option<String>, Option<String>) {
    let like = |name: &str| likeness(unknown, name);
    let nearest = known
        .iter()
        .max_by(|one, other| like(one).total_cmp(&like(other)));
    match nearest {
        Some(nearest) if like(nearest) >= ALIKE => {
            (Some(format!("did you mean `{nearest}`?")), None)
        }
        _ => (None, Some(format!("{which}: {}", known.join(", ")))),
    }
}
