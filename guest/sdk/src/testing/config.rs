//! The settings of a unit test.

use std::cell::RefCell;
use std::collections::BTreeMap;

thread_local! {
    static VALUES: RefCell<BTreeMap<String, String>> = const { RefCell::new(BTreeMap::new()) };
}

/// Sets what [`config::get`](crate::config::get) returns for this name, in this thread.
pub fn set(name: impl Into<String>, value: impl Into<String>) {
    VALUES.with_borrow_mut(|values| values.insert(name.into(), value.into()));
}

/// Removes all values of this thread.
pub fn clear() {
    VALUES.take();
}

pub(crate) fn get(name: &str) -> Option<String> {
    VALUES.with_borrow(|values| values.get(name).cloned())
}

#[cfg(test)]
mod tests {
    use crate::config;

    #[test]
    fn settings_are_those_of_the_test() {
        assert_eq!(config::get("greeting"), None);
        super::set("greeting", "hello");
        assert_eq!(config::get("greeting").as_deref(), Some("hello"));
        super::clear();
        assert_eq!(config::get("greeting"), None);
    }
}
