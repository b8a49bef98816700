//! Values whose types the standard library has: TOML has them as well.

use super::value::{Form, Number, Value, utf8};
use engine::ComponentSource;
use serde::de::value::MapAccessDeserializer;
use serde::de::{
    Deserialize, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Values that TOML has itself.
macro_rules! of_toml {
    ($($type:ty: $form:expr, $schema:tt, $expected:literal;)*) => {
        $(
            impl Value for $type {
                const FORM: Form = $form;

                fn parse(text: &OsStr) -> Result<Self, String> {
                    let parsed = utf8(text)?.parse();
                    parsed.map_err(|_: <$type as FromStr>::Err| $expected.to_owned())
                }

                fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    Self::deserialize(deserializer)
                }

                fn schema() -> Json {
                    json!($schema)
                }
            }
        )*
    };
}

of_toml! {
    bool: Form::of_type("", &["boolean"]).times(Number::Switch), { "type": "boolean" }, "expected true or false";
    String: Form::of_type("TEXT", &["string"]), { "type": "string" }, "expected a text";
    NonZeroUsize: Form::of_type("N", &["integer"]), { "minimum": 1, "type": "integer" }, "expected a whole number of at least 1";
    u64: Form::of_type("N", &["integer"]), { "minimum": 0, "type": "integer" }, "expected a whole number";
}

impl Value for PathBuf {
    const FORM: Form = Form {
        is_path: true,
        ..Form::of_type("FILE", &["string"])
    };

    fn parse(text: &OsStr) -> Result<Self, String> {
        Ok(text.into())
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    fn schema() -> Json {
        json!({ "type": "string" })
    }

    fn move_to(&mut self, folder: &Path) {
        *self = folder.join(&self);
    }
}

impl Value for ComponentSource {
    const FORM: Form = PathBuf::FORM;

    fn parse(text: &OsStr) -> Result<Self, String> {
        PathBuf::parse(text).map(Into::into)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        PathBuf::read(deserializer).map(Into::into)
    }

    fn schema() -> Json {
        PathBuf::schema()
    }

    fn move_to(&mut self, folder: &Path) {
        if let ComponentSource::File(path) = self {
            path.move_to(folder);
        }
    }
}

impl<T: Value> Value for Vec<T> {
    const FORM: Form = T::FORM.times(match T::FORM.number {
        Number::Tables => Number::Tables,
        _ => Number::Many,
    });

    fn parse(text: &OsStr) -> Result<Self, String> {
        Ok(vec![T::parse(text)?])
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if T::MAY_BE_ALONE {
            return deserializer.deserialize_any(OneOrMany(PhantomData));
        }
        let items = Vec::<Item<T>>::deserialize(deserializer)?;
        Ok(items.into_iter().map(|Item(value)| value).collect())
    }

    fn schema() -> Json {
        let list = json!({ "items": T::schema(), "type": "array" });
        if T::MAY_BE_ALONE {
            json!({ "anyOf": [T::schema(), list] })
        } else {
            list
        }
    }

    fn nothing() -> Option<Self> {
        Some(Vec::new())
    }

    fn add(&mut self, more: Self) {
        self.extend(more);
    }

    fn move_to(&mut self, folder: &Path) {
        self.iter_mut().for_each(|item| item.move_to(folder));
    }
}

/// One of several values in the file.
struct Item<T>(T);

impl<'de, T: Value> Deserialize<'de> for Item<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Item)
    }
}

/// A list, or the only value of one.
struct OneOrMany<T>(PhantomData<T>);

impl<'de, T: Value> Visitor<'de> for OneOrMany<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, or a list", T::FORM.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<T>, E> {
        Ok(vec![T::read(text.into_deserializer())?])
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Vec<T>, A::Error> {
        Ok(vec![T::read(MapAccessDeserializer::new(table))?])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(Item(item)) = list.next_element()? {
            items.push(item);
        }
        Ok(items)
    }
}

impl Value for BTreeMap<String, String> {
    const FORM: Form = Form::of_type("KEY=VALUE", &["object"]).times(Number::Pairs);

    fn parse(text: &OsStr) -> Result<Self, String> {
        match utf8(text)?.split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                Ok(BTreeMap::from([(key.to_owned(), value.to_owned())]))
            }
            _ => Err("expected KEY=VALUE".to_owned()),
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    fn schema() -> Json {
        json!({ "additionalProperties": { "type": "string" }, "type": "object" })
    }

    fn add(&mut self, more: Self) {
        self.extend(more);
    }

    fn over(self, mut lower: Self) -> Self {
        lower.extend(self);
        lower
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_may_hold_an_equals_sign_but_needs_a_name() {
        let parse = |text: &str| BTreeMap::<String, String>::parse(OsStr::new(text));
        let pair = |key: &str, value: &str| Ok(BTreeMap::from([(key.into(), value.into())]));
        assert_eq!(parse("A=b=c"), pair("A", "b=c"));
        assert_eq!(parse("A="), pair("A", ""));
        assert!(parse("=b").is_err() && parse("A").is_err());
    }

    #[test]
    fn pairs_of_both_sources_count() {
        let pairs = |text: &str| BTreeMap::<String, String>::parse(OsStr::new(text)).unwrap();
        let mut both = pairs("A=option");
        both.add(pairs("B=file"));
        assert_eq!(pairs("A=option").over(pairs("B=file")), both);
        assert_eq!(pairs("A=option").over(pairs("A=file")), pairs("A=option"));
    }
}
