use super::*;
use crate::words::clean;
use proptest::prelude::*;
use std::cell::RefCell;
use std::rc::Rc;

#[derive(Clone, Default)]
struct Ear(Rc<RefCell<String>>);

impl Listener for Ear {
    fn hear(&self, text: &str) {
        self.0.borrow_mut().push_str(text);
    }
}

impl Ear {
    /// What was received since the last call.
    fn heard(&self) -> String {
        self.0.take()
    }
}

/// A hall with these users, numbered from 1, who have received nothing yet.
fn hall<const N: usize>(names: [&str; N]) -> (Hall<Ear>, [Ear; N]) {
    let mut hall = Hall::new();
    let ears = [(); N].map(|()| Ear::default());
    for (id, (name, ear)) in (1..).zip(names.iter().zip(&ears)) {
        hall.enter(id, ear.clone(), "");
        hall.obey(id, &format!("/nick {name}"));
    }
    for ear in &ears {
        ear.heard();
    }
    (hall, ears)
}

#[test]
fn who_enters_is_welcomed_and_announced() {
    let (mut hall, [ann]) = hall(["ann"]);
    let new = Ear::default();
    hall.enter(7, new.clone(), "");
    assert_eq!(
        new.heard(),
        "* Welcome, guest7. /nick NAME changes your name, /help lists all commands.\n\
         * in lobby: ann, guest7\n"
    );
    assert_eq!(ann.heard(), "* guest7 joined\n");
}

#[test]
fn the_message_of_the_day_comes_first() {
    let (mut hall, []) = hall([]);
    let new = Ear::default();
    hall.enter(7, new.clone(), "Be kind.\nTea is at four.");
    let heard = new.heard();
    assert!(
        heard.starts_with("* Be kind.\n* Tea is at four.\n* Welcome, guest7."),
        "{heard}"
    );
}

#[test]
fn what_is_said_is_heard_by_the_others() {
    let (mut hall, [ann, bob, cid]) = hall(["ann", "bob", "cid"]);
    assert_eq!(hall.obey(1, "hello"), Next::Stay);
    assert_eq!(ann.heard(), "");
    assert_eq!(bob.heard(), "ann: hello\n");
    assert_eq!(cid.heard(), "ann: hello\n");
}

#[test]
fn rooms_are_apart() {
    let (mut hall, [ann, bob, cid]) = hall(["ann", "bob", "cid"]);
    hall.obey(1, "/join Tea");
    assert_eq!(ann.heard(), "* in tea: ann\n");
    assert_eq!(bob.heard(), "* ann left\n");
    hall.obey(2, "/join tea");
    assert_eq!(bob.heard(), "* in tea: ann, bob\n");
    assert_eq!(ann.heard(), "* bob joined\n");
    cid.heard();
    hall.obey(1, "milk?");
    assert_eq!(bob.heard(), "ann: milk?\n");
    assert_eq!(cid.heard(), "");
    hall.obey(1, "/join tea");
    assert_eq!(ann.heard(), "* you are already in tea\n");
    assert_eq!(bob.heard(), "");
    hall.obey(1, "/join no way");
    assert_eq!(
        ann.heard(),
        "* a name has letters, digits, - _ and . only\n"
    );
}

#[test]
fn a_name_belongs_to_one() {
    let (mut hall, [ann, bob]) = hall(["ann", "bob"]);
    hall.obey(2, "/nick ANN");
    assert_eq!(bob.heard(), "* that name is taken\n");
    hall.obey(2, "/nick guest1");
    assert_eq!(bob.heard(), "* names like guest1 are reserved\n");
    // A user may change the case of their own name.
    hall.obey(2, "/nick Bob");
    assert_eq!(bob.heard(), "* you are Bob now\n");
    assert_eq!(ann.heard(), "* bob is Bob now\n");
    hall.leave(1);
    bob.heard();
    hall.obey(2, "/nick ann");
    assert_eq!(bob.heard(), "* you are ann now\n");
}

#[test]
fn leaving_is_noticed_once() {
    let (mut hall, [ann, bob]) = hall(["ann", "bob"]);
    assert_eq!(hall.obey(1, "/quit"), Next::Quit);
    assert_eq!(ann.heard(), "* Goodbye.\n");
    assert_eq!(bob.heard(), "");
    hall.leave(1);
    hall.leave(1);
    assert_eq!(bob.heard(), "* ann left\n");
    hall.obey(2, "/who");
    assert_eq!(bob.heard(), "* in lobby: bob\n");
}

#[test]
fn who_is_carried_over_goes_on_unnoticed() {
    let (mut old, _) = hall(["ann"]);
    old.obey(1, "/join tea");
    let seat = old.seat(1).unwrap();
    let (mut new, [bob]) = hall(["bob"]);
    let ann = Ear::default();
    new.take_over(9, ann.clone(), &seat);
    assert_eq!((ann.heard(), bob.heard()), (String::new(), String::new()));
    new.obey(1, "/join tea");
    assert_eq!(bob.heard(), "* in tea: bob, ann\n");
}

#[test]
fn who_is_carried_over_too_late_has_lost_their_name() {
    let (mut hall, _) = hall(["ann"]);
    let other = Ear::default();
    hall.take_over(9, other.clone(), "Ann\nlobby");
    assert_eq!(other.heard(), "* you are guest9 now\n");
    hall.obey(9, "/who");
    assert_eq!(other.heard(), "* in lobby: ann, guest9\n");
}

#[test]
fn what_is_unknown_is_said_so() {
    let (mut hall, [ann]) = hall(["ann"]);
    hall.obey(1, "/dance");
    assert_eq!(ann.heard(), "* unknown command /dance; /help lists all\n");
    hall.obey(1, "/help");
    assert_eq!(ann.heard(), HELP);
    hall.obey(1, "");
    assert_eq!(ann.heard(), "");
}

proptest! {
    /// Whatever clients type, and whatever an earlier version has saved, names stay short and
    /// unique.
    #[test]
    fn any_lines_leave_the_hall_whole(
        lines in proptest::collection::vec((0_u64..4, "(/nick|/join|/who|/help|/quit|/|guest[0-9]|ada| |é|[\u{0}-\u{ff}]{0,30}){0,5}"), 0..40),
        seat in any::<String>()
    ) {
        let mut hall = Hall::new();
        let ears: [Ear; 4] = Default::default();
        for (id, ear) in (0..).zip(&ears) {
            match id {
                3 => hall.take_over(id, ear.clone(), &seat),
                _ => hall.enter(id, ear.clone(), ""),
            }
        }
        for (id, line) in &lines {
            if hall.seat(*id).is_some() && matches!(hall.obey(*id, &clean(line.as_bytes())), Next::Quit) {
                hall.leave(*id);
            }
        }
        for ear in &ears {
            prop_assert!(ear.heard().chars().all(|char| char == '\n' || !char.is_control()));
        }
    }
}
