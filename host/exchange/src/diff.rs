//! Line diffs of expected and received bytes.

use super::notation::is_text;
use super::print::bytes_line;
use super::{Action, LineEnding, Pattern, Step};

/// Lines shown before the first difference.
const CONTEXT_LINES: usize = 3;
/// The most lines compared on each side; the time grows with their product.
const MAX_LINES: usize = 200;
/// Bytes in a line of binary data.
const HEX_BYTES: usize = 16;

/// A line of either side.
enum Line<'a> {
    Bytes(&'a [u8]),
    Pattern(&'a Pattern),
    Closed,
    /// This many more lines.
    More(usize),
}

impl Line<'_> {
    fn fits(&self, got: &Line) -> bool {
        match (self, got) {
            (Line::Bytes(expected), Line::Bytes(got)) => expected == got,
            (Line::Pattern(pattern), Line::Bytes(got)) => pattern.fits(got),
            (Line::Closed, Line::Closed) => true,
            _ => false,
        }
    }

    fn show(&self, ending: LineEnding) -> String {
        match self {
            Line::Bytes(bytes) => bytes_line("<", bytes, ending),
            Line::Pattern(pattern) => Action::ExpectLine((*pattern).clone()).line(ending),
            Line::Closed => "<eof".to_owned(),
            Line::More(count) => format!("... and {count} lines more"),
        }
    }
}

/// The lines of a difference: the last of `passed`, then `expected` against `got`, and whether the
/// connection `ended`.
pub fn diff(
    passed: &[Step],
    expected: &[Step],
    got: &[u8],
    ended: bool,
    ending: LineEnding,
) -> String {
    let in_text = expected.iter().all(|step| match &step.action {
        Action::Expect(bytes) => is_text(bytes),
        Action::ExpectLine(_) => true,
        _ => is_text(got),
    });
    let mut wanted = Vec::new();
    for step in expected {
        match &step.action {
            Action::Expect(bytes) => wanted.extend(split(bytes, in_text)),
            Action::ExpectLine(pattern) => wanted.push(Line::Pattern(pattern)),
            Action::Closed => wanted.push(Line::Closed),
            Action::Send(_) | Action::Finish => {}
        }
    }
    let mut came: Vec<_> = split(got, in_text).collect();
    if ended {
        came.push(Line::Closed);
    }
    let mut lines = Vec::new();
    for step in &passed[passed.len().saturating_sub(CONTEXT_LINES)..] {
        lines.push(format!("    {}\n", step.action.line(ending)));
    }
    compare(&cap(wanted), &cap(came), |mark, line| {
        lines.push(format!("  {mark} {}\n", line.show(ending)));
    });
    lines.concat()
}

fn split(bytes: &[u8], in_text: bool) -> impl Iterator<Item = Line<'_>> {
    let pieces: Vec<_> = if in_text {
        bytes.split_inclusive(|byte| *byte == b'\n').collect()
    } else {
        bytes.chunks(HEX_BYTES).collect()
    };
    pieces.into_iter().map(Line::Bytes)
}

fn cap(mut lines: Vec<Line>) -> Vec<Line> {
    if let more @ 1.. = lines.len().saturating_sub(MAX_LINES) {
        lines.truncate(MAX_LINES);
        lines.push(Line::More(more));
    }
    lines
}

/// Merges both sides (longest common subsequence): ` ` for lines in both, `-` for missing lines,
/// `+` for unexpected ones.
fn compare<'a>(
    expected: &'a [Line<'a>],
    got: &'a [Line<'a>],
    mut show: impl FnMut(char, &'a Line<'a>),
) {
    // common[i][j]: the common lines from the i-th expected and j-th received line on.
    let mut common = vec![vec![0_usize; got.len() + 1]; expected.len() + 1];
    for (i, wanted) in expected.iter().enumerate().rev() {
        for (j, came) in got.iter().enumerate().rev() {
            common[i][j] = if wanted.fits(came) {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < expected.len() || j < got.len() {
        match (expected.get(i), got.get(j)) {
            (Some(wanted), Some(came)) if wanted.fits(came) => {
                show(' ', came);
                (i, j) = (i + 1, j + 1);
            }
            (Some(wanted), came) if came.is_none() || common[i + 1][j] >= common[i][j + 1] => {
                show('-', wanted);
                i += 1;
            }
            (_, Some(came)) => {
                show('+', came);
                j += 1;
            }
            (_, None) => return,
        }
    }
}

#[cfg(test)]
mod tests;
