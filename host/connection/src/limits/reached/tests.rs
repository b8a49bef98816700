use super::*;
use std::collections::BTreeSet;

#[test]
fn each_limit_has_its_own_count_and_name() {
    for (index, (limit, name)) in NAMES.iter().enumerate() {
        assert_eq!(*limit as usize, index, "{name}");
    }
    let names: BTreeSet<_> = Limit::all().map(|(name, _)| name).collect();
    assert_eq!(names.len(), NAMES.len());
}

#[test]
fn reaching_is_counted() {
    let count = || Limit::all().find(|(name, _)| *name == "timers").unwrap().1;
    let before = count();
    Limit::Timers.reached();
    Limit::Timers.reached_times(2);
    assert_eq!(count(), before + 3);
}
