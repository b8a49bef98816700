//! A calculator: replies to each line with its value.
//!
//! It shows how a conversation greets, keeps state, and says goodbye to an idle user. This file
//! connects the calculator to the host. The other modules know nothing of connections, so they are
//! tested without one.

mod calculator;
mod expression;

use calculator::{Calculator, PROMPT};
use echo_host_guest::{Connection, Result, Session, Timer};
use std::env;
use std::time::Duration;

echo_host_guest::conversation!(Calc, name: "calc", framing: "lines", max_message_bytes: 1024);

/// How long a user may be idle. The variable `CALC_IDLE_MS` changes it (`--env CALC_IDLE_MS=5000`).
const IDLE_TIME: Duration = Duration::from_secs(60);
/// The only timer.
const IDLE: Timer = Timer::named("idle");

struct Calc {
    connection: Connection,
    idle_time: Duration,
    calculator: Calculator,
}

impl Calc {
    fn part(&self, farewell: &str) {
        self.connection.send(farewell);
        self.connection.close();
    }
}

impl Session for Calc {
    fn open(connection: Connection, saved: Option<Vec<u8>>) -> Result<Self> {
        let saved_ans = saved.and_then(|bytes| bytes.try_into().ok());
        // A user who comes from another generation has a prompt already.
        if saved_ans.is_none() {
            connection.send_line("Type an expression, help or quit.");
            connection.send(PROMPT);
        }
        let idle_time = idle_time(env::var("CALC_IDLE_MS").ok());
        connection.set_timer(IDLE, idle_time);
        Ok(Calc {
            connection,
            idle_time,
            calculator: match saved_ans {
                Some(ans) => Calculator::resume(f64::from_le_bytes(ans)),
                None => Calculator::default(),
            },
        })
    }

    fn on_message(&mut self, line: Vec<u8>) -> Result {
        self.connection.set_timer(IDLE, self.idle_time);
        let line = String::from_utf8_lossy(&line);
        match self.calculator.answer(&line) {
            Some(answer) => self.connection.send(answer + PROMPT),
            None => self.part("Goodbye.\n"),
        }
        Ok(())
    }

    fn on_eof(&mut self) -> Result {
        // A timer would keep the connection open.
        self.connection.cancel_timer(IDLE);
        Ok(())
    }

    fn on_timer(&mut self, _: Timer) -> Result {
        self.part("\nNothing more? Goodbye.\n");
        Ok(())
    }

    fn on_shutdown(&mut self) -> Result {
        self.connection.send("\nThe server is stopping. Goodbye.\n");
        Ok(())
    }

    fn save(&mut self) -> Option<Vec<u8>> {
        Some(self.calculator.ans().to_le_bytes().to_vec())
    }
}

/// The value of the variable, if it is a number.
fn idle_time(variable: Option<String>) -> Duration {
    let number = variable.and_then(|text| text.parse().ok());
    number.map_or(IDLE_TIME, Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use echo_host_guest::testing::{Client, CloseMode};

    #[test]
    fn an_idle_user_is_sent_away() {
        let mut user = Client::<Calc>::connect().unwrap();
        user.message("1 + 2").unwrap();
        assert_eq!(
            user.received(),
            "Type an expression, help or quit.\n> 3\n> "
        );
        assert_eq!(user.timer("idle"), Some(IDLE_TIME));
        user.fire("idle").unwrap();
        assert_eq!(user.received(), "\nNothing more? Goodbye.\n");
        assert_eq!(user.closed(), Some(CloseMode::Graceful));
    }

    #[test]
    fn the_next_version_knows_the_last_answer() {
        let mut user = Client::<Calc>::connect().unwrap();
        user.message("6 * 7").unwrap();
        let mut next = Client::<Calc>::resume(user.save().unwrap()).unwrap();
        next.message("ans + 1").unwrap();
        next.eof().unwrap();
        assert_eq!(next.received(), "43\n> ");
        assert_eq!(next.timer("idle"), None);
    }

    #[test]
    fn patience_can_be_changed() {
        let soon = Some("soon".to_owned());
        assert_eq!(
            idle_time(Some("250".to_owned())),
            Duration::from_millis(250)
        );
        assert_eq!(idle_time(soon), IDLE_TIME);
        assert_eq!(idle_time(None), IDLE_TIME);
    }
}
