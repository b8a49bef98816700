//! Computes an expression while reading it: no tree is built.

use std::fmt;

/// Maximum nesting of parentheses, signs and powers. Each level is a call, and a guest's stack is
/// small.
const MAX_DEPTH: usize = 64;

/// Signs bind tighter than `*` and looser than `^`, as in mathematics: -2^2 is -4.
const SIGN: u8 = 3;

/// Why a text has no value, and the position of the error.
#[derive(Debug, PartialEq)]
pub struct Mistake {
    /// Counted in characters, from 0.
    pub column: usize,
    pub what: &'static str,
}

impl fmt::Display for Mistake {
    /// Points at the position in the line above.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:1$}^ {2}", "", self.column, self.what)
    }
}

/// The value of the text. The word `ans` in it stands for the given number.
pub fn evaluate(text: &str, ans: f64) -> Result<f64, Mistake> {
    let mut reader = Reader {
        text,
        at: 0,
        depth: 0,
        ans,
    };
    let value = reader.expression(0)?;
    match reader.peek() {
        None => Ok(value),
        Some(b')') => Err(reader.mistake("closes nothing")),
        Some(_) => Err(reader.mistake("expected an operator")),
    }
}

struct Reader<'a> {
    text: &'a str,
    /// In bytes. Only ASCII is skipped, so this is always a character boundary.
    at: usize,
    depth: usize,
    ans: f64,
}

impl Reader<'_> {
    /// Reads operands, and the operators between them that bind at least this tightly.
    fn expression(&mut self, least: u8) -> Result<f64, Mistake> {
        if self.depth == MAX_DEPTH {
            return Err(self.mistake("nested too deeply"));
        }
        self.depth += 1;
        let mut left = self.operand()?;
        while let Some(operator) = self.peek() {
            let Some((tightness, right_least)) = binding(operator) else {
                break;
            };
            if tightness < least {
                break;
            }
            let position = self.at;
            self.at += 1;
            let right = self.expression(right_least)?;
            left = apply(operator, left, right).map_err(|what| self.mistake_at(position, what))?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operand(&mut self) -> Result<f64, Mistake> {
        match self.peek() {
            Some(b'-') => {
                self.at += 1;
                Ok(-self.expression(SIGN)?)
            }
            Some(b'+') => {
                self.at += 1;
                self.expression(SIGN)
            }
            Some(b'(') => {
                let position = self.at;
                self.at += 1;
                let value = self.expression(0)?;
                match self.peek() {
                    Some(b')') => self.at += 1,
                    Some(_) => return Err(self.mistake("expected an operator")),
                    None => return Err(self.mistake_at(position, "is never closed")),
                }
                Ok(value)
            }
            Some(b'0'..=b'9' | b'.') => self.number(),
            Some(b'a'..=b'z' | b'A'..=b'Z') => self.word(),
            _ => Err(self.mistake("expected a number")),
        }
    }

    fn number(&mut self) -> Result<f64, Mistake> {
        let start = self.at;
        self.skip(|byte| byte.is_ascii_digit());
        if self.rest().starts_with('.') {
            self.at += 1;
            self.skip(|byte| byte.is_ascii_digit());
        }
        if self.rest().starts_with(['e', 'E']) {
            self.at += 1;
            if self.rest().starts_with(['+', '-']) {
                self.at += 1;
            }
            self.skip(|byte| byte.is_ascii_digit());
        }
        match self.text[start..self.at].parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            Ok(_) => Err(self.mistake_at(start, "too large")),
            Err(_) => Err(self.mistake_at(start, "not a number")),
        }
    }

    fn word(&mut self) -> Result<f64, Mistake> {
        let start = self.at;
        self.skip(|byte| byte.is_ascii_alphanumeric());
        match &self.text[start..self.at] {
            "ans" => Ok(self.ans),
            _ => Err(self.mistake_at(start, "unknown name; only `ans` is known")),
        }
    }

    /// The next byte that is not a blank, without consuming it.
    fn peek(&mut self) -> Option<u8> {
        self.skip(|byte| byte.is_ascii_whitespace());
        self.rest().bytes().next()
    }

    fn skip(&mut self, passed: impl Fn(u8) -> bool) {
        self.at += self.rest().bytes().take_while(|&byte| passed(byte)).count();
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn mistake(&self, what: &'static str) -> Mistake {
        self.mistake_at(self.at, what)
    }

    fn mistake_at(&self, at: usize, what: &'static str) -> Mistake {
        let column = self.text[..at].chars().count();
        Mistake { column, what }
    }
}

/// How tightly an operator binds, and how tightly an operator must bind to belong to its right
/// side. They are equal for operators that are computed from the right: 2^3^2 is 2^9.
fn binding(operator: u8) -> Option<(u8, u8)> {
    match operator {
        b'+' | b'-' => Some((1, 2)),
        b'*' | b'/' | b'%' => Some((2, 3)),
        b'^' => Some((4, 4)),
        _ => None,
    }
}

fn apply(operator: u8, left: f64, right: f64) -> Result<f64, &'static str> {
    let value = match operator {
        b'+' => left + right,
        b'-' => left - right,
        b'*' => left * right,
        b'/' | b'%' if right == 0.0 => return Err("division by zero"),
        b'/' => left / right,
        b'%' => left % right,
        _ => left.powf(right),
    };
    if value.is_nan() {
        Err("not a real number")
    } else if value.is_infinite() {
        Err("too large")
    } else {
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value(text: &str) -> f64 {
        evaluate(text, 10.0).unwrap()
    }

    fn mistake(text: &str) -> (usize, &'static str) {
        let mistake = evaluate(text, 0.0).unwrap_err();
        (mistake.column, mistake.what)
    }

    #[test]
    fn operators_bind_as_in_mathematics() {
        for (text, expected) in [
            ("1 + 2 * 3", 7.0),
            ("(1 + 2) * 3", 9.0),
            ("7 - 2 - 1", 4.0),
            ("8 / 4 / 2", 1.0),
            ("7 % 4 * 2", 6.0),
            ("2 ^ 3 ^ 2", 512.0),
            ("2 * 3 ^ 2", 18.0),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn signs_stand_where_numbers_may() {
        for (text, expected) in [
            ("-2 ^ 2", -4.0),
            ("(-2) ^ 2", 4.0),
            ("2 ^ -1", 0.5),
            ("2 ^ -1 * 4", 2.0),
            ("3 - -2", 5.0),
            ("--+5", 5.0),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_may_have_fractions_and_exponents() {
        for (text, expected) in [("1.5", 1.5), (".5", 0.5), ("5.", 5.0), ("2e-3", 0.002)] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn ans_is_the_number_before() {
        assert_eq!(value("ans*ans"), 100.0);
    }

    #[test]
    fn mistakes_point_at_their_position() {
        for (text, expected) in [
            ("1 + * 2", (4, "expected a number")),
            ("1 +", (3, "expected a number")),
            ("1 2", (2, "expected an operator")),
            ("1.2.3", (3, "expected an operator")),
            ("(1 + 2", (0, "is never closed")),
            ("(1 2)", (3, "expected an operator")),
            ("1)", (1, "closes nothing")),
            ("4 / (2 - 2)", (2, "division by zero")),
            ("4 % 0", (2, "division by zero")),
            ("10 ^ 400", (3, "too large")),
            ("1 + 1e999", (4, "too large")),
            ("1e", (0, "not a number")),
            (".", (0, "not a number")),
            ("(-8) ^ .5", (5, "not a real number")),
            ("2 * answer", (4, "unknown name; only `ans` is known")),
            ("1 + €", (4, "expected a number")),
        ] {
            assert_eq!(mistake(text), expected, "{text}");
        }
    }

    #[test]
    fn a_mistake_is_drawn_below_its_position() {
        let mistake = evaluate("1 + * 2", 0.0).unwrap_err();
        assert_eq!(mistake.to_string(), "    ^ expected a number");
    }

    #[test]
    fn nesting_ends_somewhere() {
        assert_eq!(
            value(&format!("{}1{}", "(".repeat(63), ")".repeat(63))),
            1.0
        );
        for deep in ["(", "-", "2^"] {
            assert_eq!(mistake(&deep.repeat(1000)).1, "nested too deeply");
        }
        assert_eq!(value(&("1".to_owned() + &" + 1".repeat(999))), 1000.0);
    }

    proptest! {
        #[test]
        fn any_text_is_a_number_or_a_mistake_within_it(
            text in "([-+*/^%() .,eE0-9]|ans|sqrt|pi|é|\u{0}){0,60}", ans in any::<f64>()
        ) {
            if let Err(mistake) = evaluate(&text, ans) {
                prop_assert!(mistake.to_string().len() < 4 * text.len() + 200);
            }
        }

        #[test]
        fn any_characters_do_no_harm(text in any::<String>()) {
            let _ = evaluate(&text, 1.0);
        }
    }
}
