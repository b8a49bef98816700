//! Prints results on standard output.

use anyhow::Context;
use std::io::{self, ErrorKind, Write};

/// Prints a result, such as "the reply". A reader that has closed the pipe, as `head` does, has
/// what it wanted: that is no failure, and the command's exit code stays its answer.
pub fn print(text: impl AsRef<[u8]>, what: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    let printed = stdout
        .write_all(text.as_ref())
        .and_then(|()| stdout.flush());
    match printed {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => printed.with_context(|| format!("cannot print {what}")),
    }
}
