//! How the value of an option is written: the same in an option, a variable and the file.

use serde::de::{Deserializer, Error, Visitor};
use serde_json::{Value as Json, json};
use std::ffi::OsStr;
use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

/// What there is to know about how a value is written.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// Stands for the value in help: `SIZE`.
    pub name: &'static str,
    /// What was expected, in an error about another type: `a size such as "64KiB"`.
    pub expected: &'static str,
    /// Its types in JSON.
    pub types: &'static [&'static str],
    /// A regular expression for editors; empty for any text.
    pub pattern: &'static str,
    /// The names of all values, and the help of each, if they can be listed.
    pub choices: (&'static [&'static str], &'static [&'static str]),
    /// How many values the option takes.
    pub number: Number,
    /// Whether it names a file, and so need not be UTF-8.
    pub is_path: bool,
}

/// How many values an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// A switch: takes no value.
    Switch,
    One,
    Many,
    /// Names with values.
    Pairs,
    /// Tables, in the file only.
    Tables,
}

impl Form {
    /// A value that is written as a text.
    pub const fn text(name: &'static str, expected: &'static str, pattern: &'static str) -> Self {
        Form {
            name,
            expected,
            types: &["string"],
            pattern,
            choices: (&[], &[]),
            number: Number::One,
            is_path: false,
        }
    }

    /// A value that may be an integer in the file as well.
    pub const fn number(name: &'static str, expected: &'static str, pattern: &'static str) -> Self {
        Form {
            types: &["string", "integer"],
            ..Form::text(name, expected, pattern)
        }
    }

    /// A value of an enum that `choices!` declares.
    pub const fn choice(
        name: &'static str,
        names: &'static [&'static str],
        help: &'static [&'static str],
    ) -> Self {
        Form {
            choices: (names, help),
            ..Form::text(name, "a name", "")
        }
    }

    pub(super) const fn of_type(name: &'static str, types: &'static [&'static str]) -> Self {
        Form {
            types,
            ..Form::text(name, "", "")
        }
    }

    pub(super) const fn times(self, number: Number) -> Self {
        Form { number, ..self }
    }
}

/// What is said about a value that no option can have.
pub(super) const IN_THE_FILE: &str = "can be set in the configuration file only";

/// A value that is written as a text, and read by its `FromStr`.
pub trait Text: FromStr<Err: Display> + Clone + PartialEq + Send + Sync + 'static {
    /// How it is written.
    const FORM: Form;

    /// Makes a relative path begin in this folder.
    fn move_to(&mut self, _folder: &Path) {}
}

/// The value of an option.
pub trait Value: Clone + PartialEq + Send + Sync + 'static {
    /// How it is written.
    const FORM: Form;
    /// Whether the file may have it in place of a list with nothing else.
    const MAY_BE_ALONE: bool = false;

    /// Reads it from an option or a variable.
    fn parse(text: &OsStr) -> Result<Self, String>;

    /// Reads it from the file.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;

    /// Its schema in the file.
    fn schema() -> Json;

    /// The value of a list of which nothing is said.
    fn nothing() -> Option<Self> {
        None
    }

    /// Adds the value of an option that is repeated.
    fn add(&mut self, more: Self) {
        *self = more;
    }

    /// This value, where `lower` stands in a source of less weight.
    fn over(self, _lower: Self) -> Self {
        self
    }

    /// Makes relative paths begin in this folder.
    fn move_to(&mut self, _folder: &Path) {}
}

impl<T: Text> Value for T {
    const FORM: Form = T::FORM;

    fn parse(text: &OsStr) -> Result<Self, String> {
        utf8(text)?
            .parse()
            .map_err(|error: T::Err| error.to_string())
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written(PhantomData))
    }

    fn schema() -> Json {
        let (names, help) = Self::FORM.choices;
        if !names.is_empty() {
            let choices = names.iter().zip(help);
            let choices =
                choices.map(|(name, help)| json!({ "const": name, "description": help.trim() }));
            return json!({ "oneOf": choices.collect::<Vec<_>>() });
        }
        let types = match Self::FORM.types {
            [only] => json!(only),
            several => json!(several),
        };
        json!({ "pattern": Self::FORM.pattern, "type": types })
    }

    fn move_to(&mut self, folder: &Path) {
        Text::move_to(self, folder);
    }
}

/// Reads a value by its `FromStr`.
struct Written<T>(PhantomData<T>);

impl<T: Text> Visitor<'_> for Written<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::FORM.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(|error| match T::FORM.choices.0 {
            [] => E::custom(error),
            names => E::unknown_variant(text, names),
        })
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }
}

pub(super) fn utf8(text: &OsStr) -> Result<&str, String> {
    text.to_str().ok_or_else(|| "expected UTF-8".to_owned())
}

/// A value in the file, for `deserialize_with`.
pub fn read<'de, D: Deserializer<'de>, T: Value>(deserializer: D) -> Result<T, D::Error> {
    T::read(deserializer)
}

/// A value in the file that may be left out there.
pub fn optional<'de, D: Deserializer<'de>, T: Value>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::read(deserializer).map(Some)
}

/// The value that an option has by default.
pub(super) fn default<T: Value>(text: &str) -> T {
    T::parse(OsStr::new(text)).expect("a test parses every default")
}

/// What holds where both sources may have a value.
pub(super) fn over<T: Value>(upper: Option<T>, lower: Option<T>) -> Option<T> {
    match (upper, lower) {
        (Some(upper), Some(lower)) => Some(upper.over(lower)),
        (upper, lower) => upper.or(lower),
    }
}

/// What an option that was parsed does to settings.
pub type Change<S> = Arc<dyn Fn(&mut S) + Send + Sync>;

/// Parses the value of an option, which goes into this field.
pub(super) fn change<S: 'static, T: Value>(
    text: &OsStr,
    field: fn(&mut S) -> &mut Option<T>,
) -> Result<Change<S>, String> {
    let value = T::parse(text)?;
    Ok(Arc::new(move |settings| match field(settings) {
        Some(values) => values.add(value.clone()),
        none => *none = Some(value.clone()),
    }))
}
