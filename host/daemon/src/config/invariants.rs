//! What holds for every text of a configuration file.

use super::file::{FileError, parse};
use super::sources::Sources;
use std::path::Path;

/// A file in a folder that is not there, so that nothing is found by what the text names.
const FILE: &str = "/nonexistent/echo-host.toml";

/// Checks a text: it is a configuration, is refused as a whole, or is told where it is wrong.
pub fn check(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    match parse(Path::new(FILE), text) {
        Ok(settings) => {
            let config = Sources::default().put_over_file(settings);
            match config {
                Ok(config) => assert!(config.services.iter().all(|it| !it.listen.is_empty())),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
        Err(FileError::Content {
            line, column, what, ..
        }) => {
            let lines: Vec<_> = text.split('\n').collect();
            let length = lines[line - 1].chars().count();
            assert!((1..=length + 1).contains(&column), "{line}:{column}");
            assert!(!what.is_empty());
        }
        Err(error) => unreachable!("nothing was read: {error}"),
    }
}
