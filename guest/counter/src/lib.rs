//! A counter: answers each line with its own version, the number of lines so far, and the line.
//!
//! It shows that a swap under live connections loses nothing: the count is carried over, so a reply
//! that was lost, sent twice or sent by another session breaks the sequence.
//!
//! # Any number of versions
//!
//! The eight bytes after the mark in [`VERSION`] tell versions apart. They are in the component
//! once, as they are here, so to make another version, overwrite them. This needs no compiler and
//! no tool, however the component was built. An environment variable at build time would need a
//! build for each version.

use echo_host_guest::{Connection, Failure, Result, Session};
use std::hint::black_box;

echo_host_guest::conversation!(
    Counter,
    name: "counter",
    version: version(),
    framing: "lines",
    max_message_bytes: 1024,
);

/// Finds the version in the component.
const MARK: &[u8; 16] = b"counter-version=";
/// The mark and the version, padded with blanks.
static VERSION: [u8; 24] = *b"counter-version=v1      ";

/// Prefix of the saved state, a name and a format version, to tell it from the state of another
/// handler.
const SAVED: &[u8; 8] = b"counter\x01";

struct Counter {
    connection: Connection,
    count: u64,
}

impl Session for Counter {
    fn open(connection: Connection, saved: Option<Vec<u8>>) -> Result<Self> {
        let count = match saved {
            // A session that started again at 0 would look as if it had been carried over.
            Some(saved) => resume(&saved).ok_or_else(foreign)?,
            None => 0,
        };
        Ok(Counter { connection, count })
    }

    fn on_message(&mut self, line: Vec<u8>) -> Result {
        self.count += 1;
        let mut reply = format!("{} {} ", version(), self.count).into_bytes();
        reply.extend(line);
        self.connection.send_line(reply);
        Ok(())
    }

    fn on_shutdown(&mut self) -> Result {
        writeln!(
            self.connection,
            "{} goodbye after {}",
            version(),
            self.count
        );
        Ok(())
    }

    fn save(&mut self) -> Option<Vec<u8>> {
        Some(saved(self.count))
    }
}

/// Reads the version from the static. A compiler that knew the value would copy it elsewhere.
fn version() -> String {
    let version = &black_box(&VERSION)[MARK.len()..];
    String::from_utf8_lossy(version).trim_end().to_owned()
}

fn saved(count: u64) -> Vec<u8> {
    [&SAVED[..], &count.to_le_bytes()].concat()
}

fn resume(saved: &[u8]) -> Option<u64> {
    let count = saved.strip_prefix(SAVED)?;
    count.try_into().ok().map(u64::from_le_bytes)
}

fn foreign() -> Failure {
    Failure::internal("the saved state is not a counter's")
}

#[cfg(test)]
mod tests {
    use super::*;
    use echo_host_guest::testing::Client;
    use proptest::prelude::*;

    #[test]
    fn lines_are_counted_across_versions() {
        let mut client = Client::<Counter>::connect().unwrap();
        client.message("one").unwrap();
        client.message("two").unwrap();
        assert_eq!(client.received(), "v1 1 one\nv1 2 two\n");
        let mut next = Client::<Counter>::resume(client.save().unwrap()).unwrap();
        next.message("three").unwrap();
        next.shutdown().unwrap();
        assert_eq!(next.received(), "v1 3 three\nv1 goodbye after 3\n");
        assert!(Client::<Counter>::resume("another's").is_err());
    }

    #[test]
    fn the_version_stands_behind_the_mark() {
        assert_eq!(version(), "v1");
        assert!(VERSION.starts_with(MARK));
    }

    #[test]
    fn what_was_saved_is_read_back_and_nothing_else_is() {
        for count in [0, 7, u64::MAX] {
            assert_eq!(resume(&saved(count)), Some(count));
        }
        for foreign in [
            &b""[..],
            b"counter\x02\0\0\0\0\0\0\0\0",
            &saved(1)[..15],
            b"42",
        ] {
            assert_eq!(resume(foreign), None, "{foreign:?}");
        }
        assert!(resume(&[&saved(1)[..], b"x"].concat()).is_none());
    }

    proptest! {
        #[test]
        fn any_saved_state_is_read_or_refused(state in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Some(count) = resume(&state) {
                prop_assert_eq!(saved(count), state);
            }
        }
    }
}
