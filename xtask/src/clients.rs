//! Client libraries that the tests use, in target/test-clients.

use anyhow::Result;

use crate::{install, layout};

/// From PyPI.
const PYTHON: [&str; 1] = ["redis==8.1.0"];
/// From npm.
const JAVASCRIPT: [&str; 2] = ["redis@6.3.1", "ioredis@6.0.0"];

/// Installs what is missing.
pub fn install() -> Result<()> {
    let folder = layout::root().join("target/test-clients");
    install::python(&folder, &PYTHON)?;
    install::npm(&folder, &JAVASCRIPT)
}
