//! A TOML document with the place of everything in it: finds all values that do not fit their type,
//! and the place of a key.

use serde::de::{DeserializeOwned, IntoDeserializer};
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

/// A step on the way from a table or list to something in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Key(String),
    Item(usize),
}

/// Where something is in a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The keys and items that lead to it. What is not there is where its parent is.
    pub steps: Vec<Step>,
    /// The file that a value in there names, if that is what it is about.
    pub file: Option<PathBuf>,
    /// Whether it is about the last key, and not about its value.
    pub is_key: bool,
}

impl Step {
    /// The key, if it is one.
    pub fn key(&self) -> Option<&str> {
        match self {
            Step::Key(key) => Some(key),
            Step::Item(_) => None,
        }
    }
}

/// A value that does not fit.
#[derive(Debug)]
pub struct Fault {
    pub steps: Vec<Step>,
    pub error: Error,
}

type Value<'t> = Spanned<DeValue<'t>>;

/// A TOML document.
pub struct Document<'t> {
    root: Value<'t>,
}

impl Place {
    /// Where these keys lead.
    pub fn of_keys(keys: &[&str]) -> Self {
        Place {
            steps: keys.iter().map(|key| Step::Key((*key).into())).collect(),
            ..Place::default()
        }
    }

    /// An item of a list there.
    pub fn item(mut self, number: usize) -> Self {
        self.steps.push(Step::Item(number));
        self
    }

    /// What has this key there.
    pub fn key(mut self, key: &str) -> Self {
        self.steps.push(Step::Key(key.into()));
        self
    }

    /// What names this file there.
    pub fn naming(self, file: &Path) -> Self {
        Place {
            file: Some(file.to_owned()),
            ..self
        }
    }
}

impl<'t> Document<'t> {
    /// Parses a text; what of it is no TOML is missing, and told.
    pub fn parse(text: &'t str) -> (Self, Vec<Error>) {
        let (root, errors) = DeTable::parse_recoverable(text);
        let span = root.span();
        let root = Spanned::new(span, DeValue::Table(root.into_inner()));
        (Document { root }, errors)
    }

    /// What it says: all that fits its type, and all that does not.
    pub fn read<T: DeserializeOwned>(&self) -> (Option<T>, Vec<Fault>) {
        let read = |value: Value<'t>| T::deserialize(value.into_deserializer());
        let mut faults = Vec::new();
        let mut sieve = Sieve {
            faults: &mut faults,
            steps: Vec::new(),
        };
        let good = sieve.sift(None, self.root.clone(), &|value| read(value).map(drop));
        (good.and_then(|good| read(good).ok()), faults)
    }

    /// The table of everything.
    pub fn root(&self) -> &Value<'t> {
        &self.root
    }

    /// The bytes of a place, and its text if it is one. Paths in the document begin in `folder`.
    pub fn find(&self, place: &Place, folder: &Path) -> Option<(Range<usize>, Option<&str>)> {
        let mut value = &self.root;
        let mut found = None;
        for step in &place.steps {
            let next = match (step, value.get_ref()) {
                (Step::Key(key), DeValue::Table(table)) => {
                    let next = table.get_key_value(key.as_str());
                    next.map(|(key, value)| (key.span(), value))
                }
                (Step::Item(number), DeValue::Array(items)) => {
                    let next = items.get(*number);
                    next.map(|value| (value.span(), value))
                }
                // In place of a list there may be its only item.
                (Step::Item(0), DeValue::Table(_)) => continue,
                _ => None,
            };
            let Some((key, next)) = next else {
                break;
            };
            value = next;
            found = Some(match value.get_ref() {
                DeValue::Table(_) => key,
                _ if place.is_key => key,
                _ => value.span(),
            });
        }
        if let Some(file) = &place.file {
            let (span, text) = naming(value, file, folder)?;
            return Some((span, Some(text)));
        }
        found.map(|span| (span, value.get_ref().as_str()))
    }
}

/// The text in there that names a file.
fn naming<'a>(value: &'a Value<'_>, file: &Path, folder: &Path) -> Option<(Range<usize>, &'a str)> {
    match value.get_ref() {
        DeValue::String(text) => {
            let path = text.split_once("::").map_or(&**text, |(path, _)| path);
            let is_it = folder.join(path) == file || folder.join(&**text) == file;
            is_it.then(|| (value.span(), &**text))
        }
        DeValue::Array(items) => items.iter().find_map(|item| naming(item, file, folder)),
        DeValue::Table(table) => table.values().find_map(|item| naming(item, file, folder)),
        _ => None,
    }
}

/// Separates what fits from what does not.
struct Sieve<'a> {
    faults: &'a mut Vec<Fault>,
    steps: Vec<Step>,
}

impl Sieve<'_> {
    /// What of a value passes the check. What does not is divided until the check is about the
    /// value as a whole.
    fn sift<'t>(
        &mut self,
        key: Option<Range<usize>>,
        value: Value<'t>,
        check: &dyn Fn(Value<'t>) -> Result<(), Error>,
    ) -> Option<Value<'t>> {
        let error = match check(value.clone()) {
            Ok(()) => return Some(value),
            Err(error) => error,
        };
        let span = value.span();
        let about = error.span();
        // The span of what has none of its own is empty.
        let is_within = about.as_ref().is_some_and(|about| {
            let extent = extent(&value);
            let holds = |span: &Range<usize>| span.start <= about.start && about.end <= span.end;
            !about.is_empty() && (holds(&extent) || key.as_ref().is_some_and(holds))
        });
        if !is_within && !self.steps.is_empty() {
            // It is said of what is around it.
            return Some(value);
        }
        let before = self.faults.len();
        let is_whole = about.is_none() || about == key || about.as_ref() == Some(&span);
        let good = match value.into_inner() {
            _ if is_whole => None,
            DeValue::Array(items) => Some(self.items(items, &span, check)),
            DeValue::Table(table) => Some(self.entries(table, &span, check)),
            _ => None,
        };
        if self.faults.len() == before {
            let steps = self.steps.clone();
            self.faults.push(Fault { steps, error });
            return None;
        }
        good.filter(|good| check(good.clone()).is_ok())
    }

    fn items<'t>(
        &mut self,
        items: impl IntoIterator<Item = Value<'t>>,
        span: &Range<usize>,
        check: &dyn Fn(Value<'t>) -> Result<(), Error>,
    ) -> Value<'t> {
        let alone = |item| check(list(span, [item]));
        let mut good = Vec::new();
        for (number, item) in items.into_iter().enumerate() {
            self.steps.push(Step::Item(number));
            good.extend(self.sift(None, item, &alone));
            self.steps.pop();
        }
        list(span, good)
    }

    fn entries<'t>(
        &mut self,
        table: DeTable<'t>,
        span: &Range<usize>,
        check: &dyn Fn(Value<'t>) -> Result<(), Error>,
    ) -> Value<'t> {
        let mut good = DeTable::new();
        for (key, value) in table {
            self.steps
                .push(Step::Key(key.get_ref().clone().into_owned()));
            let alone = |value| {
                let mut table = DeTable::new();
                table.insert(key.clone(), value);
                check(Spanned::new(span.clone(), DeValue::Table(table)))
            };
            if let Some(value) = self.sift(Some(key.span()), value, &alone) {
                good.insert(key, value);
            }
            self.steps.pop();
        }
        Spanned::new(span.clone(), DeValue::Table(good))
    }
}

fn list<'t>(span: &Range<usize>, items: impl IntoIterator<Item = Value<'t>>) -> Value<'t> {
    let items = items.into_iter().collect();
    Spanned::new(span.clone(), DeValue::Array(items))
}

/// The bytes of a value and all that is in it: the span of a table may be that of its header.
fn extent(value: &Value<'_>) -> Range<usize> {
    let join =
        |one: Range<usize>, other: Range<usize>| one.start.min(other.start)..one.end.max(other.end);
    match value.get_ref() {
        DeValue::Array(items) => items.iter().map(extent).fold(value.span(), join),
        DeValue::Table(table) => {
            let entries = table.iter();
            let entries = entries.map(|(key, value)| join(key.span(), extent(value)));
            entries.fold(value.span(), join)
        }
        _ => value.span(),
    }
}
