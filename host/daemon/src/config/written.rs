//! Values in the configuration file: written as on the command line, in a string or, where it is nothing but a
//! number, as an integer.

use super::values::{
    FileMode, MemorySize, MessageSize, OptionalNumber, OptionalSize, OptionalTime, Place,
    ServiceName, Size, Time,
};
use connection::address::{Endpoint, NetworkAddress};
use connection::framing::Framing;
use engine::Directory;
use keyvalue::StoreUri;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use server::admission::Network;
use server::listener::Owner;
use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::str::FromStr;
use system::confinement::Identity;
use system::trust::{FileHash, SignerKey};

/// Reads a value by its `FromStr`.
struct Written<T> {
    expected: &'static str,
    value: PhantomData<T>,
}

impl<T> Visitor<'_> for Written<T>
where
    T: FromStr<Err: Display>,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }
}

/// How a value is written, for the error about one that is not.
pub trait Expected {
    const EXPECTED: &'static str;
}

/// A value of a type of the crates below, which know nothing of files.
struct Value<T>(T);

impl<'de, T: Expected + FromStr<Err: Display>> Deserialize<'de> for Value<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let visitor = Written {
            expected: T::EXPECTED,
            value: PhantomData,
        };
        deserializer.deserialize_any(visitor).map(Value)
    }
}

/// One value.
pub fn one<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Expected + FromStr<Err: Display>,
{
    Value::deserialize(deserializer).map(|Value(value)| value)
}

/// One value, of a key that may be omitted.
pub fn option<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Expected + FromStr<Err: Display>,
{
    one(deserializer).map(Some)
}

/// A list of values, of a key that may be omitted.
pub fn list<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Expected + FromStr<Err: Display>,
{
    let values = Vec::deserialize(deserializer)?;
    Ok(Some(values.into_iter().map(|Value(value)| value).collect()))
}

macro_rules! expected {
    ($($value:ty: $expected:literal,)*) => {
        $(
            impl Expected for $value {
                const EXPECTED: &'static str = $expected;
            }
        )*
    };
}

expected! {
    Network: "a network such as \"192.0.2.0/24\"",
    Owner: "a user and a group such as \"www-data:www-data\"",
    Endpoint: "an address such as \"tcp://127.0.0.1:8888\"",
    Framing: "a framing such as \"lines\" or \"fixed:64\"",
    Identity: "a user such as \"www-data\" or \"www-data:www-data\"",
    FileHash: "a SHA-256 in hexadecimal digits",
    SignerKey: "a minisign key, or its file",
    NetworkAddress: "a host and a port such as \"db.internal:5432\"",
    StoreUri: "\"memory\", or a Redis database such as \"redis://127.0.0.1:6379/0\"",
    Directory: "a directory such as \"/srv/data::/data\"",
}

macro_rules! written {
    ($($value:ty: $expected:literal,)*) => {
        $(
            impl<'de> Deserialize<'de> for $value {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    deserializer.deserialize_any(Written {
                        expected: $expected,
                        value: PhantomData,
                    })
                }
            }
        )*
    };
}

written! {
    Size: "a size such as 512 or \"64KiB\"",
    MemorySize: "a size such as \"64MiB\"",
    MessageSize: "a size such as 512 or \"64KiB\"",
    Time: "a time such as \"500ms\" or \"2min\"",
    OptionalTime: "a time such as \"10min\", or \"off\"",
    FileMode: "permissions in octal digits such as \"660\"",
    OptionalNumber: "a whole number such as 3, or \"off\"",
    OptionalSize: "a size such as \"1MiB\", or \"off\"",
    Place: "a path, or \"off\"",
    ServiceName: "a service's name",
}
