//! Catches panics of the compiler and of screening: each is a bug that this component triggers, and
//! must not end the host.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The message of a compiler panic.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "hits a bug in the compiler ({0}); hint: build the component differently, and report the bug \
     to the authors of echo-host"
)]
pub struct Panic(String);

thread_local! {
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread will be caught here.
pub fn is_caught() -> bool {
    IS_CAUGHT.get()
}

/// Runs work for a component and catches its panic.
pub fn catch<T>(work: impl FnOnce() -> T) -> Result<T, Panic> {
    let before = IS_CAUGHT.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    IS_CAUGHT.set(before);
    result.map_err(|panic| {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Panic(text.unwrap_or("unknown reason").to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_panic_message_is_kept() {
        assert_eq!(catch(|| 3), Ok(3));
        assert_eq!(catch(|| panic!("no")), Err::<(), _>(Panic("no".to_owned())));
        assert_eq!(
            catch(|| panic!("no {}", 3)),
            Err::<(), _>(Panic("no 3".to_owned()))
        );
        assert!(!is_caught());
        assert_eq!(catch(is_caught), Ok(true));
    }
}
