//! Shows the mistakes of a file: what, where, the line itself with a mark, and what to do.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::error::Error;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// More mistakes than this are counted, and not shown.
const MAX_SHOWN: usize = 20;

/// A mistake in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The bytes of the text that it is about; `None` if it is about none of them.
    pub span: Option<Range<usize>>,
    /// What is wrong.
    pub what: String,
    /// What stands under the mark: what was expected, or meant.
    pub label: Option<String>,
    /// What to do.
    pub hint: Option<String>,
    /// Another place that belongs to it, and what is there.
    pub beside: Option<(Range<usize>, &'static str)>,
}

/// All mistakes of a file, in the order of their places; at least one. As text, the first one in
/// one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    path: PathBuf,
    /// The text of the file, as far as it may be shown.
    text: String,
    mistakes: Vec<Mistake>,
}

impl Mistake {
    /// What is wrong with these bytes.
    pub fn at(span: Option<Range<usize>>, what: impl Into<String>) -> Self {
        Mistake {
            span,
            what: what.into(),
            label: None,
            hint: None,
            beside: None,
        }
    }
}

impl Diagnostics {
    /// Mistakes in the text of the file at `path`, which may be shown. Without any, there must be a
    /// reason for the error: the text as a whole.
    pub fn new(path: &Path, text: &str, mut mistakes: Vec<Mistake>) -> Self {
        let start = |mistake: &Mistake| mistake.span.as_ref().map_or(usize::MAX, |it| it.start);
        mistakes.sort_by_key(start);
        mistakes.dedup();
        Diagnostics {
            path: path.to_owned(),
            text: text.chars().map(harmless).collect(),
            mistakes,
        }
    }

    /// The mistakes.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// Line and column of a mistake, counted from 1, the column in characters.
    pub fn position(&self, mistake: &Mistake) -> (usize, usize) {
        let at = mistake.span.as_ref().map_or(0, |span| span.start);
        let before = &self.text[..self.text.floor_char_boundary(at)];
        let line = before.rsplit('\n').next().unwrap_or_default();
        (before.matches('\n').count() + 1, line.chars().count() + 1)
    }

    /// All mistakes, each with its line. Ends with a line feed. Has no control characters but line
    /// feeds, and escape sequences if it is to be colored.
    pub fn render(&self, is_colored: bool) -> String {
        let renderer = if is_colored {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let mut text = String::new();
        for mistake in self.mistakes.iter().take(MAX_SHOWN) {
            text += &self.render_one(mistake, &renderer);
            text += "\n";
            if let Some(hint) = &mistake.hint {
                text += &format!("hint: {}\n", sanitized(hint));
            }
            if self.mistakes.len() > 1 {
                text.push('\n');
            }
        }
        if let [_, _, ..] = &self.mistakes[..] {
            let count = self.mistakes.len();
            let shown = match count {
                ..=MAX_SHOWN => "",
                _ => ", the first of which are shown",
            };
            let path = sanitized(&self.path.display().to_string());
            text += &format!("echo-host: {count} mistakes in {path}{shown}\n");
        }
        text
    }

    fn render_one(&self, mistake: &Mistake, renderer: &Renderer) -> String {
        let path = sanitized(&self.path.display().to_string());
        let Some(span) = &mistake.span else {
            let what = format!("{path}: {}", sanitized(&mistake.what));
            let title = Level::ERROR.with_name("echo-host").primary_title(what);
            return renderer.render(&[Group::with_title(title)]);
        };
        let title = Level::ERROR
            .with_name("echo-host")
            .primary_title(sanitized(&mistake.what));
        let label = mistake.label.as_deref().map(sanitized);
        let mark = AnnotationKind::Primary.span(self.fitting(span));
        let beside = mistake.beside.iter();
        let beside = beside.map(|(span, what)| {
            AnnotationKind::Context
                .span(self.fitting(span))
                .label(*what)
        });
        let snippet = Snippet::source(&self.text)
            .path(path)
            .annotation(mark.label(label))
            .annotations(beside);
        renderer.render(&[title.element(snippet)])
    }

    /// The part of a span that lies in its first line: a mark over many lines says less.
    fn fitting(&self, span: &Range<usize>) -> Range<usize> {
        let start = self.text.floor_char_boundary(span.start);
        let end = self.text.ceil_char_boundary(span.end.max(start));
        let line = self.text[start..end].lines().next().unwrap_or_default();
        start..start + line.len()
    }
}

impl Error for Diagnostics {}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        let Some(first) = self.mistakes.first() else {
            return Ok(());
        };
        if first.span.is_some() {
            let (line, column) = self.position(first);
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", first.what)?;
        if let Some(label) = &first.label {
            write!(f, ": {label}")?;
        }
        if let more @ 1.. = self.mistakes.len().saturating_sub(1) {
            write!(f, " (and {more} more)")?;
        }
        match &first.hint {
            Some(hint) => write!(f, "; hint: {hint}"),
            None => Ok(()),
        }
    }
}

fn sanitized(text: &str) -> String {
    text.chars()
        .map(|char| {
            if char.is_whitespace() {
                ' '
            } else {
                harmless(char)
            }
        })
        .collect()
}

/// The character, or one as long that a terminal cannot take for an order.
fn harmless(char: char) -> char {
    let is_direction =
        matches!(char, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}');
    match char {
        // Annotated lines end before a carriage return.
        '\n' | '\r' | '\t' => char,
        _ if is_direction || char.is_control() => stand_in(char, '?'),
        _ => char,
    }
}

/// A character that is as long in UTF-8 as another one: places stay where they are.
pub(super) fn stand_in(char: char, ascii: char) -> char {
    match char.len_utf8() {
        1 => ascii,
        2 => '·',
        3 => '•',
        _ => '🞄',
    }
}
