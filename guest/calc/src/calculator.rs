//! The calculator: the reply to each line.

use crate::expression::evaluate;

/// The prompt before each line.
pub const PROMPT: &str = "> ";

const HELP: &str = "\
+ - * / % ^ and parentheses compute; ans is the last result; quit ends
";

/// The state of one conversation.
#[derive(Default)]
pub struct Calculator {
    ans: f64,
}

impl Calculator {
    /// A calculator that continues with this last result.
    pub fn resume(ans: f64) -> Self {
        Calculator { ans }
    }

    pub fn ans(&self) -> f64 {
        self.ans
    }

    /// The reply to a line, or `None` if the user wants to leave.
    pub fn answer(&mut self, line: &str) -> Option<String> {
        match line.trim() {
            "quit" | "exit" => return None,
            "" => return Some(String::new()),
            "help" => return Some(HELP.to_owned()),
            _ => {}
        }
        match evaluate(line, self.ans) {
            Ok(value) => {
                self.ans = value;
                Some(show(value) + "\n")
            }
            // The user typed after a prompt, so the marker is indented by its width.
            Err(mistake) => Some(format!("{:1$}{mistake}\n", "", PROMPT.len())),
        }
    }
}

/// Writes a number with 15 significant digits: an f64 always has that many, and they are few enough
/// that 0.1 + 0.2 is 0.3.
fn show(value: f64) -> String {
    let digits = format!("{value:.14e}");
    let rounded: f64 = digits.parse().unwrap_or(value);
    match rounded.abs() {
        0.0 => "0".to_owned(),
        1e-5..1e15 => rounded.to_string(),
        _ => format!("{rounded:e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_written_as_people_write_them() {
        for (value, shown) in [
            (0.1 + 0.2, "0.3"),
            (-0.0, "0"),
            (1e14, "100000000000000"),
            (2f64.powi(64), "1.84467440737096e19"),
            (1.0 / 3.0, "0.333333333333333"),
            (-1e-7, "-1e-7"),
            (2.5, "2.5"),
        ] {
            assert_eq!(show(value), shown);
        }
    }

    #[test]
    fn a_result_can_be_used_in_the_next_line() {
        let mut calculator = Calculator::default();
        assert_eq!(calculator.answer("6 * 7").unwrap(), "42\n");
        assert_eq!(calculator.answer("ans / 2").unwrap(), "21\n");
        assert_eq!(
            calculator.answer("ans +").unwrap(),
            "       ^ expected a number\n"
        );
        assert_eq!(calculator.answer("ans").unwrap(), "21\n");
    }

    #[test]
    fn a_conversation_can_be_carried_on() {
        let mut calculator = Calculator::default();
        calculator.answer("1 / 3");
        let mut next = Calculator::resume(calculator.ans());
        assert_eq!(next.answer("ans * 3").unwrap(), "1\n");
    }

    #[test]
    fn users_may_go_or_say_nothing() {
        let mut calculator = Calculator::default();
        assert_eq!(calculator.answer(" quit "), None);
        assert_eq!(calculator.answer("  ").unwrap(), "");
    }

    proptest! {
        #[test]
        fn any_line_is_answered(lines in proptest::collection::vec(any::<String>(), 0..20)) {
            let mut calculator = Calculator::resume(0.0);
            for line in &lines {
                calculator.answer(line);
            }
            prop_assert!(calculator.answer("1+1").is_some());
        }
    }
}
