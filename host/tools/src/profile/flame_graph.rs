//! A profile as a flame graph.

use super::Profile;
use inferno::flamegraph::{Options, from_lines};
use std::io;

impl Profile {
    /// As SVG, with a little JavaScript of its own to search and zoom. Fails if there is no sample.
    pub fn flame_graph(&self) -> io::Result<Vec<u8>> {
        let counts = self.counted().into_iter();
        let mut lines: Vec<_> = counts
            .map(|((version, stack), count)| {
                let calls = self.calls(stack);
                let calls = calls.iter().map(|name| frame(name));
                let all: Vec<_> = [frame(&version.to_string())]
                    .into_iter()
                    .chain(calls)
                    .collect();
                format!("{} {count}", all.join(";"))
            })
            .collect();
        lines.sort();
        let mut options = Options::default();
        options.title = "Guests of echo-host".to_owned();
        options.deterministic = true;
        let mut svg = Vec::new();
        from_lines(&mut options, lines.iter().map(|line| &line[..]), &mut svg)?;
        Ok(svg)
    }
}

/// A name in a line of stacks, where a semicolon separates calls and a number behind a space is a
/// count.
fn frame(name: &str) -> String {
    let name = name.replace(';', ",");
    match name.rsplit_once(' ') {
        Some((begin, number)) if number.starts_with(|it: char| it.is_ascii_digit()) => {
            format!("{begin}\u{a0}{number}")
        }
        _ => name,
    }
}
