//! Sizes, times and pairs as people write them.

use bytesize::ByteSize;
use std::time::Duration;

/// More than anything here is ever given, and far less than overflows in a sum.
const MAX_SIZE: usize = 1 << 40;

/// A size in bytes, at least 1: `512`, `64KiB`, `1MB`.
pub fn size(text: &str) -> Result<usize, String> {
    let ByteSize(bytes) = text
        .parse()
        .map_err(|_| "expected a size such as 512, 64KiB or 1MB".to_owned())?;
    match usize::try_from(bytes) {
        Ok(0) => Err("must be at least 1 byte".to_owned()),
        Ok(bytes @ ..=MAX_SIZE) => Ok(bytes),
        _ => Err("must be at most 1TiB".to_owned()),
    }
}

/// A size that a Wasm memory can have: one page of 64 KiB to 4 GiB.
pub fn memory(text: &str) -> Result<usize, String> {
    match size(text)? {
        bytes @ 0x1_0000..=0x1_0000_0000 => Ok(bytes),
        _ => Err("must be from 64KiB to 4GiB".to_owned()),
    }
}

/// A message size: what a length of four bytes can say.
pub fn message(text: &str) -> Result<usize, String> {
    match size(text)? {
        bytes @ ..=0xffff_ffff => Ok(bytes),
        _ => Err("must be less than 4GiB".to_owned()),
    }
}

/// A file's permissions, in octal digits: `660` or `0660`.
pub fn mode(text: &str) -> Result<u32, String> {
    match u32::from_str_radix(text, 8) {
        Ok(mode @ ..=0o777) => Ok(mode),
        _ => Err("expected permissions in octal digits, such as 660".to_owned()),
    }
}

/// A time, at least 1 ms: `1s`, `500ms`, `2min`.
pub fn time(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text)
        .map_err(|_| "expected a time such as 500ms, 1s or 2min".to_owned())?;
    if time < Duration::from_millis(1) {
        return Err("must be at least 1ms".to_owned());
    }
    Ok(time)
}

/// A time that can be turned off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionalTime(pub Option<Duration>);

/// A time as in [`time`], or `off`.
pub fn optional_time(text: &str) -> Result<OptionalTime, String> {
    match text {
        "off" => Ok(OptionalTime(None)),
        _ => time(text)
            .map(|time| OptionalTime(Some(time)))
            .map_err(|error| format!("{error}, or off")),
    }
}

/// A name and a value: `KEY=VALUE`.
pub fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
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
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "0", "-1", "KiB", "1 parsec", "99999999999TiB"] {
            assert!(size(text).is_err(), "{text}");
        }
        assert!(memory("1KiB").is_err() && memory("5GiB").is_err() && memory("4GiB").is_ok());
        assert!(message("4GiB").is_err());
    }

    #[test]
    fn times_are_written_as_people_write_them() {
        assert_eq!(time("1s"), Ok(Duration::from_secs(1)));
        assert_eq!(time("1m 30s"), Ok(Duration::from_secs(90)));
        for text in ["", "1", "s", "-1s", "0s", "1us"] {
            assert!(time(text).is_err(), "{text}");
        }
        assert_eq!(optional_time("off"), Ok(OptionalTime(None)));
        assert!(optional_time("of").unwrap_err().ends_with(", or off"));
    }

    #[test]
    fn a_variable_may_hold_an_equals_sign_but_needs_a_name() {
        assert_eq!(variable("A=b=c"), Ok(("A".into(), "b=c".into())));
        assert_eq!(variable("A="), Ok(("A".into(), String::new())));
        assert!(variable("=b").is_err() && variable("A").is_err());
    }
}
