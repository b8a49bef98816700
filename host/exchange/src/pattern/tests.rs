use super::*;

fn pattern(parts: &[&'static str]) -> Pattern {
    Pattern {
        parts: parts.iter().map(|part| Bytes::from(*part)).collect(),
        ending: b"\n",
    }
}

#[test]
fn gaps_match_anything() {
    for (parts, line, fits) in [
        (&["abc"][..], "abc\n", true),
        (&["abc"], "abc", false),
        (&["abc"], "abcd\n", false),
        (&["", ""], "\n", true),
        (&["a", "c"], "abc\n", true),
        (&["a", "c"], "ac\n", true),
        (&["aa", "aa"], "aaa\n", false),
        (&["", "b", ""], "abc\n", true),
        (&["", "b", "b"], "abc\n", false),
        (&["", "ab", "ab", ""], "xabxaby\n", true),
        (&["", "ab", "ab", ""], "xaby\n", false),
    ] {
        assert_eq!(
            pattern(parts).fits(line.as_bytes()),
            fits,
            "{parts:?} {line:?}"
        );
    }
}
