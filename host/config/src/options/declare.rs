//! What an option is, and the macro that declares the options of one level with the struct of their
//! values.

use super::about::{About, Level};
use crate::value::{Change, Form, Number, Value};
use serde_json::Value as Json;
use std::ffi::OsStr;

/// An option that was declared.
#[derive(Clone, Debug)]
pub struct Opt {
    /// Its key in the file: `peer-timeout`.
    pub key: &'static str,
    /// The name of its flag, or of its argument in upper case, if it has one.
    pub flag: Option<&'static str>,
    /// The variable that stands for its flag: `ECHO_HOST_PEER_TIMEOUT`.
    pub variable: Option<&'static str>,
    /// What it is about.
    pub level: Level,
    /// What it does: a sentence in Markdown.
    pub help: &'static str,
    /// The value that holds by default, if there is one.
    pub default: Option<&'static str>,
    /// How its value is written.
    pub form: Form,
    /// The schema of its value in the file.
    pub schema: fn() -> Json,
    /// What else was declared.
    pub about: About,
}

/// Settings of one level, each of which has its option.
pub trait Options: Default + Clone + Sized + 'static {
    /// The options, in the order of their fields.
    fn options() -> &'static [(Opt, Parse<Self>)];
}

/// Parses what was given for an option, and tells how that changes settings.
pub type Parse<S> = fn(&OsStr) -> Result<Change<S>, String>;

impl Opt {
    pub(super) fn new<T: Value>(
        level: Level,
        field: &str,
        help: &'static str,
        default: Option<&'static str>,
        about: About,
    ) -> Self {
        let name = |name: String| -> &'static str { name.leak() };
        let key = name(field.replace('_', "-"));
        let flag = about.flag.unwrap_or(key);
        let variable = flag.replace('-', "_").to_ascii_uppercase();
        Opt {
            key,
            flag: (!about.is_key_only).then_some(flag),
            variable: (!about.is_key_only).then(|| name(format!("ECHO_HOST_{variable}"))),
            level,
            help: help.trim(),
            default,
            form: T::FORM,
            schema: T::schema,
            about,
        }
    }

    /// Stands for its value in help.
    pub fn value_name(&self) -> &'static str {
        self.about.value.unwrap_or(self.form.name)
    }

    /// What holds by default, in words: `10s`, or `1MiB, or less if …`. `None` for nothing.
    pub fn default_text(&self) -> Option<String> {
        let is_needless =
            |default: &&str| self.form.number == Number::Switch && *default == "false";
        let default = self.default.filter(|default| !is_needless(default));
        match (default, self.about.otherwise) {
            (Some(default), Some(otherwise)) => Some(format!("{default}, {otherwise}")),
            (default, otherwise) => default.or(otherwise).map(str::to_owned),
        }
    }
}

/// Declares the options of a level and the struct of their values, in which nothing has to be said:
///
/// ```text
/// /// Close a connection after this long without traffic
/// idle_timeout: OptionalTime = "10min" => Limits {};
/// ```
///
/// An option with a default has a method of its name, which returns the value or the default.
macro_rules! options {
    (
        $(#[$meta:meta])*
        $level:ident $settings:ident {
            $(
                $(#[doc = $help:literal])+
                $field:ident: $type:ty $(= $default:literal)?
                    => $group:ident { $($about:ident: $what:expr),* };
            )+
        }
    ) => {
        #[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
        $(#[$meta])*
        #[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
        pub struct $settings {
            $(
                $(#[doc = $help])+
                #[serde(deserialize_with = "crate::value::optional")]
                pub $field: Option<$type>,
            )+
        }

        impl $settings {
            $($(
                /// What is said, or the default.
                pub fn $field(&self) -> $type {
                    let default = || crate::value::default($default);
                    self.$field.clone().unwrap_or_else(default)
                }
            )?)+

            /// What is said here, and for the rest what `lower` says.
            pub fn or(self, lower: Self) -> Self {
                $settings {
                    $($field: crate::value::over(self.$field, lower.$field),)+
                }
            }

            /// What is said here, and for the rest the defaults.
            pub fn or_default(self) -> Self {
                $settings {
                    $($field: self.$field
                        $(.or_else(|| Some(crate::value::default($default))))?
                        .or_else(crate::value::Value::nothing),)+
                }
            }

            /// Makes relative paths begin in this folder.
            pub(crate) fn move_to(&mut self, folder: &std::path::Path) {
                $(
                    if let Some(value) = &mut self.$field {
                        crate::value::Value::move_to(value, folder);
                    }
                )+
            }

            /// Leaves what is said by these options.
            pub fn retain(&mut self, mut keep: impl FnMut(&super::Opt) -> bool) {
                let mut options = <Self as super::Options>::options().iter();
                $(
                    if options.next().is_some_and(|(option, _)| !keep(option)) {
                        self.$field = None;
                    }
                )+
            }

            /// The options in which these settings differ from others.
            pub fn differences(&self, other: &Self) -> Vec<&'static super::Opt> {
                let is_other = [$(self.$field != other.$field),+];
                let options = <Self as super::Options>::options().iter().zip(is_other);
                let others = options.filter(|(_, is_other)| *is_other);
                others.map(|((option, _), _)| option).collect()
            }
        }

        impl super::Options for $settings {
            fn options() -> &'static [(super::Opt, super::declare::Parse<Self>)] {
                use crate::value::change;
                use std::sync::LazyLock;
                static ALL: LazyLock<Vec<(super::Opt, super::declare::Parse<$settings>)>> =
                    LazyLock::new(|| vec![$((
                        super::Opt::new::<$type>(
                            super::Level::$level,
                            stringify!($field),
                            concat!($($help),+),
                            [$(Some($default),)? None][0],
                            super::About {
                                group: super::Group::$group,
                                $($about: $what,)*
                                ..super::About::PLAIN
                            },
                        ),
                        |text| change(text, |settings: &mut $settings| &mut settings.$field),
                    ),)+]);
                &ALL
            }
        }
    };
}
