//! Finds the place in the file of what is wrong with settings. What options and variables say has
//! none.

use super::diagnostics::Mistake;
use super::document::{Fault, Place};
use super::error::{ConfigError, Finding};
use super::file::{FileError, Text};
use super::options::{HostSettings, ListenerSettings, Opt, Options, ServiceSettings};
use engine::instead_of;
use std::env;
use std::ops::Range;
use std::path::{Path, absolute};

/// The first of what is wrong, where there is no file to show.
pub fn first(found: Vec<Finding>) -> ConfigError {
    let first = found.into_iter().next();
    first.expect("an error has a reason").error
}

/// All mistakes of a file: what does not fit, and what was `found` in the rest. What `is_given` by
/// options or variables is not in the file.
pub fn place(
    text: &Text<'_>,
    faults: &[Fault],
    found: Vec<Finding>,
    is_given: impl Fn(&Place) -> bool,
) -> ConfigError {
    let span = |place: &Place| {
        let found = text.document.find(place, text.folder());
        found.filter(|_| !is_given(place))
    };
    if faults.is_empty() && found.iter().all(|it| span(&it.place).is_none()) {
        return first(found);
    }
    // What does not fit is missing from the settings, and may be why something else seems wrong.
    let follows = |place: &Place| {
        faults.iter().any(|fault| {
            let depth = place.steps.len().min(fault.steps.len()).min(2);
            place.steps[..depth] == fault.steps[..depth]
        })
    };
    let more = found.iter().filter(|it| !follows(&it.place));
    let more = more.map(|it| {
        let at = span(&it.place);
        let beside = it.beside.as_ref();
        let beside = beside.and_then(|(place, what)| Some((span(place)?.0, *what)));
        Mistake {
            beside,
            ..mistake(it, at, text.folder())
        }
    });
    FileError::Content(text.told(faults, more)).into()
}

fn mistake(
    Finding { error, place, .. }: &Finding,
    at: Option<(Range<usize>, Option<&str>)>,
    folder: &Path,
) -> Mistake {
    let text = in_words_of_the_file(&error.to_string());
    let (what, hint) = match text.split_once("; hint: ") {
        Some((what, hint)) => (what, Some(hint)),
        None => (&*text, None),
    };
    let (span, written) = at.unzip();
    let missing = place.file.as_deref().filter(|file| !file.exists());
    let missing = missing.zip(written.flatten());
    let instead = missing.filter(|_| {
        matches!(
            error,
            ConfigError::NoFile {
                what: "handler",
                ..
            }
        )
    });
    let instead = instead.and_then(|(_, written)| instead_of(Path::new(written)));
    let begins = || missing.and_then(|(_, written)| begins(written, folder));
    Mistake {
        hint: instead.or_else(begins).or_else(|| hint.map(str::to_owned)),
        ..Mistake::at(span, what)
    }
}

/// Where the path of a missing file begins.
fn begins(written: &str, folder: &Path) -> Option<String> {
    let written = written.split_once("::").map_or(written, |(path, _)| path);
    if Path::new(written).is_absolute() {
        return None;
    }
    let here = env::current_dir().ok()?.join(written);
    let folder = absolute(folder.join(".")).ok()?;
    let begins = format!(
        "a relative path starts in {}, the directory of this file",
        folder.display()
    );
    Some(if here.exists() {
        format!("{begins}; did you mean {}?", here.display())
    } else {
        begins
    })
}

/// The keys in place of the flags that an error names.
fn in_words_of_the_file(text: &str) -> String {
    let mut words = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("--") {
        let is_name = |char: char| char.is_ascii_lowercase() || char == '-';
        let end = after.find(|char| !is_name(char)).unwrap_or(after.len());
        let (flag, behind) = after.split_at(end);
        words += before;
        words += &match key_of(flag) {
            Some(key) if before.ends_with('`') => key.to_owned(),
            Some(key) => format!("`{key}`"),
            None => format!("--{flag}"),
        };
        rest = behind;
    }
    words + rest
}

fn key_of(flag: &str) -> Option<&'static str> {
    fn find<S: Options>(flag: &str) -> Option<&'static Opt> {
        let mut options = S::options().iter().map(|(option, _)| option);
        options.find(|option| option.flag == Some(flag))
    }
    let option = find::<ServiceSettings>(flag)
        .or_else(|| find::<HostSettings>(flag))
        .or_else(|| find::<ListenerSettings>(flag));
    option.map(|option| option.key)
}
