//! Panics of the compiler and of what looks a component through: each is an error in it that this component brings to
//! light, and no reason for the host to end.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What the compiler said when it panicked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "brings an error of the compiler to light ({0}): build it in another way, and report it to this host's authors"
)]
pub struct Panic(String);

thread_local! {
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread ends no more than what is done for a component.
pub fn is_caught() -> bool {
    IS_CAUGHT.get()
}

/// What is done for a component, unless it panics.
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, Panic> {
    let before = IS_CAUGHT.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    IS_CAUGHT.set(before);
    result.map_err(|panic| {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Panic(text.unwrap_or("it gave no reason").to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_said_is_kept() {
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
