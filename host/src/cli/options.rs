//! The declared options as options of commands.

use super::variables;
use clap::builder::{
    BoolishValueParser, PathBufValueParser, PossibleValue, PossibleValuesParser, TypedValueParser,
};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches, ValueHint};
use config::options::{Group, Listed, Opt, Options, Parse};
use config::value::{Change, Number};
use config::{HostSettings, ListenerSettings, ServiceSettings};
use std::ffi::OsStr;
use std::sync::Arc;

/// What options and variables say. `serve` has all options, other commands those about a handler
/// and logs.
#[derive(Clone, Debug, Default)]
pub struct Given<const SERVES: bool> {
    pub host: HostSettings,
    pub service: ServiceSettings,
    pub listener: ListenerSettings,
}

impl<const SERVES: bool> Given<SERVES> {
    fn has(group: Group) -> bool {
        SERVES || matches!(group, Group::Sandbox | Group::Trust | Group::Logs)
    }
}

impl<const SERVES: bool> Args for Given<SERVES> {
    fn augment_args(command: Command) -> Command {
        let groups = Group::ALL.into_iter().filter(|group| Self::has(*group));
        groups.fold(command, |command, group| {
            command
                .args(args::<ServiceSettings>(group))
                .args(args::<HostSettings>(group))
                .args(args::<ListenerSettings>(group))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<const SERVES: bool> FromArgMatches for Given<SERVES> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut given = Self::default();
        given.update_from_arg_matches(matches)?;
        Ok(given)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        apply(matches, &mut self.host, Self::has);
        apply(matches, &mut self.service, Self::has);
        apply(matches, &mut self.listener, Self::has);
        Ok(())
    }
}

/// The flags of a group, for settings of one level.
fn args<S: Options>(group: Group) -> impl Iterator<Item = Arg> {
    let options = S::options().iter();
    let options = options.filter(move |(option, _)| option.about.group == group);
    options.filter_map(|(option, parse)| arg(option, *parse))
}

fn arg<S: Options>(option: &'static Opt, parse: Parse<S>) -> Option<Arg> {
    let about = &option.about;
    let flag = option.flag?;
    let mut arg = Arg::new(flag)
        .env(option.variable?)
        .help(help(option))
        .help_heading(about.group.title())
        .value_name(option.value_name())
        .allow_hyphen_values(about.may_have_hyphen)
        .action(match option.form.number {
            Number::Switch => ArgAction::SetTrue,
            Number::Many | Number::Pairs => ArgAction::Append,
            Number::One | Number::Tables => ArgAction::Set,
        });
    if !flag.starts_with(char::is_uppercase) {
        arg = arg.long(flag);
    }
    if option.form.is_path {
        arg = arg.value_hint(ValueHint::AnyPath);
    }
    if let Some(other) = about.requires {
        arg = arg.requires(other);
    }
    Some(match option.form.number {
        Number::Switch => arg.value_parser(BoolishValueParser::new()),
        _ => arg
            .short(about.short)
            .value_parser(Parser { option, parse }),
    })
}

/// The help of an option, without Markdown.
fn help(option: &Opt) -> String {
    let mut help = option.help.replace('`', "");
    if matches!(option.form.number, Number::Many | Number::Pairs) {
        help += match option.about.listed {
            Listed::Lines => " (repeatable; in the variable, one per line)",
            Listed::Commas => " (repeatable; in the variable, separated by commas)",
            Listed::CommasEverywhere => " (repeatable, or separated by commas)",
        };
    }
    if let Some(default) = option.default_text() {
        help += &format!(" [default: {default}]");
    }
    help
}

/// Changes settings as options and variables say.
fn apply<S: Options>(matches: &ArgMatches, settings: &mut S, has: fn(Group) -> bool) {
    let options = S::options().iter();
    for (option, parse) in options.filter(|(option, _)| has(option.about.group)) {
        match (option.flag, option.form.number) {
            (None, _) => {}
            (Some(flag), Number::Switch) => {
                if matches.get_flag(flag)
                    && let Ok(change) = parse(OsStr::new("true"))
                {
                    change(settings);
                }
            }
            (Some(flag), _) => {
                let given = matches.get_many::<Change<S>>(flag);
                given
                    .into_iter()
                    .flatten()
                    .for_each(|change| change(settings));
            }
        }
    }
}

/// Parses the value of an option.
struct Parser<S> {
    option: &'static Opt,
    parse: Parse<S>,
}

impl<S> Clone for Parser<S> {
    fn clone(&self) -> Self {
        Parser { ..*self }
    }
}

impl<S: Options> TypedValueParser for Parser<S> {
    type Value = Change<S>;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Change<S>, Error> {
        self.parse_ref_(command, arg, value, ValueSource::CommandLine)
    }

    fn parse_ref_(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
        source: ValueSource,
    ) -> Result<Change<S>, Error> {
        let parse = |item: &OsStr| self.one(command, arg, item);
        if self.option.form.number == Number::One {
            return parse(value);
        }
        let is_variable = source == ValueSource::EnvVariable;
        let items = variables::items(value, self.option.about.listed, is_variable);
        let changes: Vec<_> = items.into_iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Arc::new(move |settings| {
            changes.iter().for_each(|change| change(settings));
        }))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let (names, help) = self.option.form.choices;
        let values = names.iter().zip(help);
        let values = values.map(|(name, help)| PossibleValue::new(*name).help(help.trim()));
        (!names.is_empty()).then(|| Box::new(values) as Box<dyn Iterator<Item = PossibleValue>>)
    }
}

impl<S: Options> Parser<S> {
    fn one(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<Change<S>, Error> {
        let Parser { option, parse } = *self;
        if option.about.is_secret {
            return parse(value).map_err(|why: String| without_value(command, arg, &why));
        }
        if option.form.is_path {
            let path = PathBufValueParser::new().parse_ref(command, arg, value)?;
            let parsed = parse(path.as_os_str());
            return parsed.map_err(|why| Error::raw(ErrorKind::ValueValidation, why));
        }
        if let names @ [_, ..] = option.form.choices.0 {
            PossibleValuesParser::new(names).parse_ref(command, arg, value)?;
        }
        let parse = move |text: &str| parse(OsStr::new(text));
        parse.parse_ref(command, arg, value)
    }
}

/// An error for a value, without the value itself.
fn without_value(command: &Command, arg: Option<&Arg>, why: &str) -> Error {
    let option = arg.map(ToString::to_string).unwrap_or_default();
    let variable = arg.and_then(Arg::get_env).unwrap_or_default();
    let variable = variable.display();
    let what = format!("invalid value for '{option}' ({variable}): {why}");
    Error::raw(ErrorKind::ValueValidation, format!("{what}\n")).with_cmd(command)
}

/// Parses a value of an enum whose names are declared.
#[cfg(feature = "tools")]
pub fn choice<T: config::value::Text>() -> impl TypedValueParser<Value = T> {
    let (names, help) = T::FORM.choices;
    let values = names.iter().zip(help);
    let values = values.map(|(name, help)| PossibleValue::new(*name).help(help.trim()));
    let parser = PossibleValuesParser::new(values.collect::<Vec<_>>());
    parser.try_map(|name| name.parse::<T>().map_err(|error| error.to_string()))
}
