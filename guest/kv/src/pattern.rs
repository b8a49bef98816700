//! Patterns of keys: `*`, `?`, `[a-c]`, `[^a]`, and `\` before a character that stands for itself.

/// The comparison needs more steps than are left.
#[derive(Debug, PartialEq)]
pub struct TooLong;

/// Whether a key matches. Takes the cost from `steps`. A key is compared again from each position
/// where the last `*` may end, so the cost is at most the product of both lengths.
pub fn matches(pattern: &[u8], key: &[u8], steps: &mut u64) -> Result<bool, TooLong> {
    let (mut p, mut k) = (0, 0);
    // The pattern after the last `*`, and the position in the key where that star ends.
    let mut star: Option<(usize, usize)> = None;
    loop {
        *steps = steps.checked_sub(1).ok_or(TooLong)?;
        if pattern.get(p) == Some(&b'*') {
            p += 1;
            star = Some((p, k));
            continue;
        }
        let Some(&byte) = key.get(k) else {
            return Ok(p == pattern.len());
        };
        if let Some((taken, fits)) = one(&pattern[p..], byte) {
            *steps = steps.checked_sub(taken as u64).ok_or(TooLong)?;
            if fits {
                (p, k) = (p + taken, k + 1);
                continue;
            }
        }
        let Some((after, end)) = star else {
            return Ok(false);
        };
        // Let the star match one more byte.
        (p, k) = (after, end + 1);
        star = Some((after, end + 1));
    }
}

/// The length of the pattern's first element, and whether it matches this byte. `None` at the end
/// of the pattern.
fn one(pattern: &[u8], byte: u8) -> Option<(usize, bool)> {
    Some(match pattern {
        [] => return None,
        [b'?', ..] => (1, true),
        [b'\\', own, ..] => (2, *own == byte),
        [b'[', class @ ..] => {
            let (taken, fits) = in_class(class, byte);
            (taken + 1, fits)
        }
        [own, ..] => (1, *own == byte),
    })
}

/// The length of a class after its `[`, and whether it contains this byte. An unclosed class ends
/// with the pattern.
fn in_class(class: &[u8], byte: u8) -> (usize, bool) {
    let negated = class.first() == Some(&b'^');
    let mut at = usize::from(negated);
    let mut found = false;
    loop {
        match &class[at..] {
            [] => break,
            [b']', ..] => {
                at += 1;
                break;
            }
            [b'\\', own, ..] => {
                found |= *own == byte;
                at += 2;
            }
            [low, b'-', high, ..] => {
                found |= (*low.min(high)..=*low.max(high)).contains(&byte);
                at += 3;
            }
            [own, ..] => {
                found |= *own == byte;
                at += 1;
            }
        }
    }
    (at, found != negated)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, key: &str) -> bool {
        matches(pattern.as_bytes(), key.as_bytes(), &mut 1000).unwrap()
    }

    #[test]
    fn patterns_match_as_in_redis() {
        for (pattern, key) in [
            ("", ""),
            ("*", ""),
            ("**", "abc"),
            ("h?llo", "hello"),
            ("h*llo", "heeeello"),
            ("h[ae]llo", "hallo"),
            ("h[^e]llo", "hallo"),
            ("h[a-b]llo", "hbllo"),
            ("h[b-a]llo", "hbllo"),
            ("*a*b*", "xxaxxbxx"),
            (r"\*", "*"),
            (r"[\]]", "]"),
            ("[a", "a"),
            ("\\", "\\"),
        ] {
            assert!(fits(pattern, key), "{pattern} {key}");
        }
        for (pattern, key) in [
            ("", "a"),
            ("a", ""),
            ("h?llo", "hllo"),
            ("h[ae]llo", "hillo"),
            ("h[^e]llo", "hello"),
            ("*ab", "abc"),
            (r"\*", "a"),
            ("[]", "a"),
        ] {
            assert!(!fits(pattern, key), "{pattern} {key}");
        }
    }

    #[test]
    fn a_comparison_ends_when_its_steps_are_used_up() {
        let (pattern, key) = (
            [&b"*".repeat(50)[..], &b"a".repeat(5000)].concat(),
            b"a".repeat(9999),
        );
        let key = [&key[..], b"b", &key[..]].concat();
        let pattern = [&pattern[..], b"c"].concat();
        let mut steps = 1_000_000;
        assert_eq!(matches(&pattern, &key, &mut steps), Err(TooLong));
    }
}
