//! Enums whose values people write by name, on the command line and in files.

#![forbid(unsafe_code)]

/// Declares an enum with the name of each value. The first line of a value's comment is its help.
#[macro_export]
macro_rules! choices {
    (
        $(#[$meta:meta])*
        $visibility:vis enum $name:ident {
            $(#[doc = $help:literal] $(#[doc = $more:literal])* $value:ident = $text:literal,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $visibility enum $name {
            $(#[doc = $help] $(#[doc = $more])* $value,)+
        }

        impl $name {
            /// The name of each value.
            pub const NAMES: &'static [&'static str] = &[$($text),+];
            /// The help of each value.
            pub const HELP: &'static [&'static str] = &[$($help),+];
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok($name::$value),)+
                    _ => Err(format!("expected one of {}", Self::NAMES.join(", "))),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self {
                    $($name::$value => $text,)+
                })
            }
        }
    };
}
