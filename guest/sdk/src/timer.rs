//! Timers: what tells the timers of one connection apart.

use std::fmt;

/// A timer of a connection: `Timer::named("idle")`, or a number.
///
/// Timers compare with names and numbers, and a constant of this type can be matched:
///
/// ```
/// # use echo_host_guest::Timer;
/// const IDLE: Timer = Timer::named("idle");
///
/// fn what(timer: Timer) -> &'static str {
///     match timer {
///         IDLE => "the client is idle",
///         timer if timer == 7 => "the seventh",
///         _ => "another",
///     }
/// }
/// assert_eq!(what(Timer::from("idle")), "the client is idle");
/// ```
///
/// The contract knows numbers only. A name's number follows from the name alone, so the next
/// version of a handler recognises timers that the previous one set.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timer(u32);

impl Timer {
    /// The timer with this name. Its number is the 32-bit FNV-1a hash of the name with the highest
    /// bit set: it is never one of the numbers below 2³¹.
    pub const fn named(name: &str) -> Self {
        let bytes = name.as_bytes();
        let mut hash: u32 = 0x811c_9dc5;
        let mut at = 0;
        // A constant function cannot use an iterator.
        while at < bytes.len() {
            hash = (hash ^ bytes[at] as u32).wrapping_mul(0x0100_0193);
            at += 1;
        }
        Timer(hash | 1 << 31)
    }

    /// The number of the timer in the contract.
    pub const fn id(self) -> u32 {
        self.0
    }
}

impl From<&str> for Timer {
    fn from(name: &str) -> Self {
        Timer::named(name)
    }
}

impl From<u32> for Timer {
    fn from(id: u32) -> Self {
        Timer(id)
    }
}

impl PartialEq<str> for Timer {
    fn eq(&self, name: &str) -> bool {
        *self == Timer::named(name)
    }
}

impl PartialEq<&str> for Timer {
    fn eq(&self, name: &&str) -> bool {
        *self == **name
    }
}

impl PartialEq<u32> for Timer {
    fn eq(&self, id: &u32) -> bool {
        self.0 == *id
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timer({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_name_never_changes() {
        // A session that moves to a version built with a newer SDK keeps its timers.
        assert_eq!(Timer::named("reminder").id(), 0xb994_c98f);
        assert_eq!(Timer::named("").id(), 0x811c_9dc5);
        assert_eq!(Timer::named("a").id(), 0xe40c_292c);
    }

    #[test]
    fn names_and_small_numbers_differ() {
        assert_eq!(Timer::from("idle"), "idle");
        assert_ne!(Timer::from("idle"), "Idle");
        assert_eq!(Timer::from(7), 7);
        assert!(Timer::from("foobar").id() > u32::MAX / 2);
    }
}
