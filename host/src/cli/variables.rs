//! Options from environment variables: which count as given, how they hold lists, and which values
//! are never shown.

use clap::builder::{Resettable, TypedValueParser};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, Command, Error};
use std::env;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::str::FromStr;

/// Makes a command ignore empty variables, and hide values of variables in its help: some are
/// secret.
pub fn prepare(command: Command) -> Command {
    let command = command.mut_args(|arg| {
        let value = arg.get_env().and_then(env::var_os);
        let arg = arg.hide_env_values(true);
        match value.is_some_and(|value| is_blank(value.as_bytes())) {
            true => arg.env(Resettable::Reset),
            false => arg,
        }
    });
    command.mut_subcommands(prepare)
}

/// The value of an option or variable: an item, or a list.
#[derive(Clone, Debug)]
pub struct Items<T>(Vec<T>);

impl<T: Clone> Items<T> {
    /// All items of a repeatable option.
    pub fn all(given: &[Self]) -> impl Iterator<Item = T> {
        given.iter().flat_map(|Items(items)| items).cloned()
    }
}

/// Items that are separated by commas.
pub fn commas<P: TypedValueParser>(item: P) -> List<P> {
    List {
        item,
        separator: b',',
        in_options: true,
    }
}

/// Items separated by commas in a variable. An option has one item, which may contain commas, such
/// as a path.
pub fn paths<P: TypedValueParser>(item: P) -> List<P> {
    List {
        in_options: false,
        ..commas(item)
    }
}

/// Items on separate lines in a variable. An option has one item, which may contain newlines.
pub fn lines<P: TypedValueParser>(item: P) -> List<P> {
    List {
        item,
        separator: b'\n',
        in_options: false,
    }
}

/// Parses an item with the rules of its type.
pub fn parsed<T>() -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: Into<Box<dyn std::error::Error + Send + Sync>>> + Clone + Send + Sync + 'static,
{
    |text: &str| text.parse::<T>()
}

/// See [`commas`], [`paths`] and [`lines`].
#[derive(Clone)]
pub struct List<P> {
    item: P,
    separator: u8,
    /// Whether an option may hold a list too.
    in_options: bool,
}

impl<P: TypedValueParser> TypedValueParser for List<P>
where
    P::Value: Send + Sync + Clone,
{
    type Value = Items<P::Value>;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, Error> {
        self.parse_ref_(command, arg, value, ValueSource::CommandLine)
    }

    fn parse_ref_(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
        source: ValueSource,
    ) -> Result<Self::Value, Error> {
        let parse = |item: &[u8]| {
            let item = OsStr::from_bytes(item);
            self.item.parse_ref_(command, arg, item, source)
        };
        let whole = value.as_bytes();
        if source != ValueSource::EnvVariable && (!self.in_options || is_blank(whole)) {
            return Ok(Items(vec![parse(whole)?]));
        }
        let items = whole.split(|byte| *byte == self.separator);
        let items = items.filter(|item| !is_blank(item));
        Ok(Items(items.map(parse).collect::<Result<_, _>>()?))
    }
}

/// A value that no message shows, even if it is invalid.
pub fn secret<T: Clone + Send + Sync + 'static>(
    parse: fn(&str) -> Result<T, String>,
) -> impl TypedValueParser<Value = T> {
    Secret(parse)
}

/// See [`secret`].
struct Secret<T>(fn(&str) -> Result<T, String>);

impl<T> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Secret(self.0)
    }
}

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Secret<T> {
    type Value = T;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        let parsed = match value.to_str() {
            Some(text) => (self.0)(text),
            None => Err("expected UTF-8".to_owned()),
        };
        parsed.map_err(|why| {
            let option = arg.map(ToString::to_string).unwrap_or_default();
            let variable = arg.and_then(Arg::get_env).unwrap_or_default();
            let variable = variable.display();
            let what = format!("invalid value for '{option}' ({variable}): {why}");
            Error::raw(ErrorKind::ValueValidation, format!("{what}\n")).with_cmd(command)
        })
    }
}

fn is_blank(value: &[u8]) -> bool {
    value.trim_ascii().is_empty()
}
