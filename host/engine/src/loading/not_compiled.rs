//! Why a component that passed screening did not compile.

use crate::kinds::fault::one_line;
use screening::Feature;

/// Why a component was not compiled.
#[derive(Debug, thiserror::Error)]
pub enum NotCompiled {
    #[error("is not a valid component, or is truncated: {0}")]
    Invalid(String),
    #[error("needs {0}")]
    Feature(Feature),
}

impl NotCompiled {
    /// Finds out why `component` did not compile; the compiler returned `error`.
    pub fn new(component: &[u8], error: &wasmtime::Error) -> Self {
        match Feature::missed_by(component) {
            Some(feature) => NotCompiled::Feature(feature),
            None => NotCompiled::Invalid(one_line(error)),
        }
    }
}
