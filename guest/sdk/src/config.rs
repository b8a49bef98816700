//! The operator's settings for the handler (`wasi:config`).

#[cfg(not(target_family = "wasm"))]
use crate::testing::config as host;

/// The value that the operator gave with `--config-value NAME=VALUE` or in the configuration file.
/// A unit test sets it with [`testing::config::set`](crate::testing::config::set).
///
/// ```
/// use echo_host_guest::config;
///
/// let greeting = config::get("greeting").unwrap_or("hello".to_owned());
/// # assert_eq!(greeting, "hello");
/// ```
pub fn get(name: &str) -> Option<String> {
    host::get(name)
}

#[cfg(target_family = "wasm")]
mod host {
    use crate::bindings::config::store;

    pub fn get(name: &str) -> Option<String> {
        // The values are in the host's memory.
        store::get(name).expect("the host can read its settings")
    }
}
