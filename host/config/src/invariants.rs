//! What holds for every text of a configuration file.

use super::diagnostics::Diagnostics;
use super::secrets;
use super::sources::Sources;
use std::path::Path;

/// A file in a folder that is not there, so that nothing is found by what the text names.
const FILE: &str = "/nonexistent/echo-host.toml";

/// Checks a text: it is a configuration, is refused as a whole, or is told where it is wrong.
pub fn check(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    // Places in the text are places in what is shown of it.
    assert_eq!(secrets::hide_lines(text).len(), text.len());
    match Sources::default().load_text(Path::new(FILE), text) {
        Ok(config) => assert!(config.services.iter().all(|it| !it.listen.is_empty())),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            if let Some(diagnostics) = error.diagnostics() {
                check_places(text, diagnostics);
            }
        }
    }
}

/// Each mistake is in the text, and nothing that is shown of it is an order to a terminal.
fn check_places(text: &str, diagnostics: &Diagnostics) {
    assert!(!diagnostics.mistakes().is_empty());
    let lines: Vec<_> = text.split('\n').collect();
    for mistake in diagnostics.mistakes() {
        let (line, column) = diagnostics.position(mistake);
        let length = lines[line - 1].chars().count();
        assert!((1..=length + 1).contains(&column), "{line}:{column}");
        assert!(!mistake.what.is_empty());
    }
    let shown = diagnostics.render(false);
    let is_order = |char: char| char.is_control() && char != '\n';
    assert!(
        shown.ends_with('\n') && !shown.contains(is_order),
        "{shown:?}"
    );
}
