use super::{HostSettings, ListenerSettings, Opt, Options, ServiceSettings};
use connection::limits::Limit;
use std::collections::BTreeSet;
use std::ffi::OsStr;

/// More than this is no sentence for help.
const MAX_HELP_CHARS: usize = 80;

/// Tells whether a text is a value.
type Check = Box<dyn Fn(&str) -> Result<(), String>>;

fn of<S: Options>() -> impl Iterator<Item = (&'static Opt, Check)> {
    S::options().iter().map(|(option, parse)| {
        let check = |text: &str| parse(OsStr::new(text)).map(drop);
        (option, Box::new(check) as Check)
    })
}

fn all() -> impl Iterator<Item = (&'static Opt, Check)> {
    of::<HostSettings>()
        .chain(of::<ServiceSettings>())
        .chain(of::<ListenerSettings>())
}

#[test]
fn every_default_and_every_sample_is_a_value() {
    for (option, check) in all() {
        let samples = [option.default, option.about.sample].into_iter().flatten();
        for text in samples.filter(|text| !text.starts_with('{')) {
            assert_eq!(check(text), Ok(()), "{}: {text}", option.key);
        }
    }
}

#[test]
fn help_is_a_short_sentence_without_its_full_stop() {
    for (option, _) in all() {
        assert!(!option.help.ends_with('.'), "{}", option.help);
        let chars = option.help.replace('`', "").chars().count();
        assert!(chars <= MAX_HELP_CHARS, "{chars}: {}", option.help);
    }
}

#[test]
fn every_limit_is_counted_under_the_name_of_its_option() {
    let counted: BTreeSet<_> = Limit::all().map(|(name, _)| name).collect();
    for (option, _) in all() {
        if option.about.reached.is_some_and(|it| it.log.is_some()) {
            assert!(counted.contains(option.key), "{}", option.key);
        }
    }
}

#[test]
fn no_two_options_have_one_flag() {
    let mut flags = BTreeSet::new();
    for (option, _) in all() {
        if let Some(flag) = option.flag {
            assert!(flags.insert(flag), "{flag}");
        }
    }
    assert!(flags.len() > 50, "{flags:?}");
}
