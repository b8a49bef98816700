//! Sizes, times, places and names as people write them, on the command line and in the
//! configuration file.

use bytesize::ByteSize;
use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// An upper bound that cannot overflow in sums, and far less than overflows in a sum.
const MAX_SIZE: usize = 1 << 40;

/// A size in bytes, at least 1: `512`, `64KiB`, `1MB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub usize);

/// A size in bytes that a Wasm memory can have: one page of 64 KiB to 4 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemorySize(pub usize);

/// The size of a message in bytes: what a length of four bytes can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageSize(pub usize);

/// A time, at least 1 ms: `1s`, `500ms`, `2min`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(pub Duration);

/// A [`Time`], or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionalTime(pub Option<Duration>);

/// A file's permissions, in octal digits: `660` or `0660`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileMode(pub u32);

/// A whole number of at least 1, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionalNumber(pub Option<u32>);

/// A [`Size`], or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionalSize(pub Option<usize>);

/// A path, or `off`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptionalPath {
    /// There is to be none.
    Off,
    /// It is there.
    At(PathBuf),
}

/// What a service is called: small letters, digits and hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServiceName(String);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let ByteSize(bytes) = text
            .parse()
            .map_err(|_| "expected a size such as 512, 64KiB or 1MB".to_owned())?;
        match usize::try_from(bytes) {
            Ok(0) => Err("must be at least 1 byte".to_owned()),
            Ok(bytes @ ..=MAX_SIZE) => Ok(Size(bytes)),
            _ => Err("must be at most 1TiB".to_owned()),
        }
    }
}

impl FromStr for MemorySize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse()? {
            Size(bytes @ 0x1_0000..=0x1_0000_0000) => Ok(MemorySize(bytes)),
            Size(_) => Err("must be from 64KiB to 4GiB".to_owned()),
        }
    }
}

impl FromStr for MessageSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse()? {
            Size(bytes @ ..=0xffff_ffff) => Ok(MessageSize(bytes)),
            Size(_) => Err("must be less than 4GiB".to_owned()),
        }
    }
}

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(format!("unit missing: {text}s?"));
        }
        let time = humantime::parse_duration(text)
            .map_err(|_| "expected a time such as 500ms, 1s or 2min".to_owned())?;
        if time < Duration::from_millis(1) {
            return Err("must be at least 1ms".to_owned());
        }
        Ok(Time(time))
    }
}

impl FromStr for OptionalTime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(OptionalTime(None)),
            _ => match text.parse() {
                Ok(Time(time)) => Ok(OptionalTime(Some(time))),
                Err(error) if error.ends_with('?') => Err(error),
                Err(error) => Err(format!("{error}, or off")),
            },
        }
    }
}

impl FromStr for FileMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match u32::from_str_radix(text, 8) {
            Ok(mode @ ..=0o777) => Ok(FileMode(mode)),
            _ => Err("expected permissions in octal digits, such as 660".to_owned()),
        }
    }
}

impl FromStr for OptionalNumber {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            ("off", _) => Ok(OptionalNumber(None)),
            (_, Ok(factor)) => Ok(OptionalNumber(Some(NonZeroU32::get(factor)))),
            (_, Err(_)) => Err("expected a whole number of at least 1, or off".to_owned()),
        }
    }
}

impl FromStr for OptionalSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(OptionalSize(None)),
            _ => match text.parse() {
                Ok(Size(bytes)) => Ok(OptionalSize(Some(bytes))),
                Err(error) => Err(format!("{error}, or off")),
            },
        }
    }
}

impl FromStr for OptionalPath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("expected a path, or off".to_owned()),
            "off" => Ok(OptionalPath::Off),
            path => Ok(OptionalPath::At(path.into())),
        }
    }
}

impl FromStr for ServiceName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let may = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
        if !text.is_empty() && text.chars().all(may) {
            Ok(ServiceName(text.to_owned()))
        } else {
            Err(format!(
                "invalid service name `{text}`: expected a to z, 0 to 9 and hyphens"
            ))
        }
    }
}

impl ServiceName {
    /// The only service of a host that is told all by options.
    pub fn main() -> Self {
        ServiceName("main".to_owned())
    }

    /// Names in a sentence: `a`, `b` and `c`.
    pub fn list(names: &[ServiceName]) -> String {
        let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        match &quoted[..] {
            [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
            _ => quoted.concat(),
        }
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_people_write_them() {
        for (text, bytes) in [
            ("1", 1),
            ("512B", 512),
            ("64KiB", 65536),
            ("64 kib", 65536),
            ("1MB", 1_000_000),
        ] {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        for text in ["", "0", "-1", "KiB", "1 parsec", "99999999999TiB"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
        for (text, fits) in [("1KiB", false), ("5GiB", false), ("4GiB", true)] {
            assert_eq!(text.parse::<MemorySize>().is_ok(), fits, "{text}");
        }
        assert!("4GiB".parse::<MessageSize>().is_err());
    }

    #[test]
    fn times_are_written_as_people_write_them() {
        assert_eq!("1s".parse(), Ok(Time(Duration::from_secs(1))));
        assert_eq!("1m 30s".parse(), Ok(Time(Duration::from_secs(90))));
        for text in ["", "1", "s", "-1s", "0s", "1us"] {
            assert!(text.parse::<Time>().is_err(), "{text}");
        }
        assert_eq!("off".parse(), Ok(OptionalTime(None)));
        let error = "of".parse::<OptionalTime>().unwrap_err();
        assert!(error.ends_with(", or off"));
    }

    #[test]
    fn factors_are_whole_and_at_least_one() {
        assert_eq!("3".parse(), Ok(OptionalNumber(Some(3))));
        assert_eq!("off".parse(), Ok(OptionalNumber(None)));
        for bad in ["0", "-1", "1.5", "", "Off"] {
            assert!(bad.parse::<OptionalNumber>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_service_has_a_plain_name() {
        assert_eq!(
            "chat-2".parse::<ServiceName>().unwrap().to_string(),
            "chat-2"
        );
        for text in ["", "Chat", "a b", "a.b", "ä"] {
            assert!(text.parse::<ServiceName>().is_err(), "{text}");
        }
    }
}
