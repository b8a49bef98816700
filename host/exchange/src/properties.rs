//! Property tests: the invariants on random files of exchanges.

use super::invariants::{check, comes_back};
use super::{Action, Exchange, Exchanges, LineEnding, Pattern, Step};
use bytes::Bytes;
use framing::Framing;
use proptest::prelude::*;

/// Bytes with a meaning in the notation, and others.
fn bytes() -> impl Strategy<Value = Bytes> {
    let byte = prop_oneof![
        prop::sample::select(b" \\\r\n\t\0*x0><=#".to_vec()),
        32u8..127,
        any::<u8>(),
    ];
    prop_oneof![
        prop::collection::vec(byte, 1..12).prop_map(Bytes::from),
        "\\PC{1,8}\r?\n?".prop_map(Bytes::from),
    ]
}

fn patterns(ending: LineEnding) -> impl Strategy<Value = Pattern> {
    prop::collection::vec(bytes(), 1..4).prop_map(move |parts| {
        let without_lf = |part: Bytes| part.iter().copied().filter(|byte| *byte != b'\n').collect();
        Pattern {
            parts: parts.into_iter().map(without_lf).collect(),
            ending: ending.as_bytes(),
        }
    })
}

fn steps(ending: LineEnding) -> impl Strategy<Value = Vec<Action>> {
    let expected = move || {
        let action = prop_oneof![
            bytes().prop_map(Action::Expect),
            patterns(ending).prop_map(Action::ExpectLine),
        ];
        prop::collection::vec(action, 0..4)
    };
    let sent = prop::collection::vec(bytes().prop_map(Action::Send), 1..4);
    (sent, expected(), any::<bool>(), expected(), any::<bool>()).prop_map(
        |(sent, expected, finishes, last, closes)| {
            let mut steps = [sent, expected].concat();
            steps.extend(finishes.then_some(Action::Finish));
            steps.extend(last);
            steps.extend(closes.then_some(Action::Closed));
            steps
        },
    )
}

fn files() -> impl Strategy<Value = Exchanges> {
    let ending = prop::sample::select(vec![LineEnding::Lf, LineEnding::CrLf]);
    let framing = prop::sample::select(vec![None, Some(Framing::Lines), Framing::fixed(3).ok()]);
    ending.prop_flat_map(move |ending| {
        let exchanges = prop::collection::vec(steps(ending), 1..4);
        (framing.clone(), any::<Option<bool>>(), exchanges).prop_map(
            move |(framing, cuts, exchanges)| Exchanges {
                framing,
                ending,
                cuts,
                exchanges: exchanges
                    .into_iter()
                    .enumerate()
                    .map(|(number, steps)| Exchange {
                        name: format!("exchange {number}"),
                        line: 0,
                        ending,
                        steps: steps
                            .into_iter()
                            .map(|action| Step { line: 0, action })
                            .collect(),
                    })
                    .collect(),
            },
        )
    })
}

proptest! {
    #[test]
    fn printed_files_parse_back(file in files()) {
        comes_back(file);
    }

    #[test]
    fn any_file_is_parsed_or_refused_with_a_position(text in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&text);
    }

    #[test]
    fn near_valid_files_are_parsed_or_refused_with_a_position(
        lines in prop::collection::vec("(> |< |<~ |>hex |<hex |>eof|<eof|== |framing:|)[ -~\u{e9}\\\\]{0,9}", 0..9)
    ) {
        check(lines.join("\n").as_bytes());
    }
}
