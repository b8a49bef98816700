//! A calculator: replies to each line with its value.
//!
//! It shows how a conversation greets, keeps state, and says goodbye to an idle user. This file
//! connects the calculator to the host. The other modules know nothing of connections, so they are
//! tested without one.

mod calculator;
mod expression;

wit_bindgen::generate!({ path: "../../wit", world: "conversation-handler" });

use calculator::{Calculator, PROMPT};
use echo_host::handler::connections::Connection;
use echo_host::handler::types::Failure;
use exports::echo_host::handler::{conversation, manifest};
use std::cell::RefCell;
use std::env;

/// How long a user may be idle. The variable `CALC_IDLE_MS` changes it (`--env CALC_IDLE_MS=5000`).
const IDLE_MS: u32 = 60_000;
/// The only timer.
const IDLE: u32 = 0;

struct Calc;

impl manifest::Guest for Calc {
    fn describe() -> manifest::About {
        manifest::About {
            name: "calc".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            framing: "lines".to_owned(),
            max_message_bytes: 1024,
        }
    }
}

impl conversation::Guest for Calc {
    type Session = Session;
}

struct Session {
    connection: Connection,
    idle_ms: u32,
    calculator: RefCell<Calculator>,
}

impl Session {
    fn say(&self, text: &str) {
        self.connection.send(text.as_bytes());
    }

    fn part(&self, farewell: &str) {
        self.say(farewell);
        self.connection.close();
    }
}

impl conversation::GuestSession for Session {
    fn open(
        connection: Connection,
        saved: Option<Vec<u8>>,
    ) -> Result<conversation::Session, Failure> {
        let saved_ans = saved.and_then(|bytes| bytes.try_into().ok());
        let session = Session {
            connection,
            idle_ms: idle_ms(env::var("CALC_IDLE_MS").ok()),
            calculator: RefCell::new(match saved_ans {
                Some(ans) => Calculator::resume(f64::from_le_bytes(ans)),
                None => Calculator::default(),
            }),
        };
        // A user who comes from another generation has a prompt already.
        if saved_ans.is_none() {
            session.say("Type an expression, help or quit.\n");
            session.say(PROMPT);
        }
        session.connection.set_timer(IDLE, session.idle_ms);
        Ok(conversation::Session::new(session))
    }

    fn on_message(&self, line: Vec<u8>) -> Result<(), Failure> {
        self.connection.set_timer(IDLE, self.idle_ms);
        let line = String::from_utf8_lossy(&line);
        match self.calculator.borrow_mut().answer(&line) {
            Some(answer) => self.say(&(answer + PROMPT)),
            None => self.part("Goodbye.\n"),
        }
        Ok(())
    }

    fn on_eof(&self) -> Result<(), Failure> {
        // A timer would keep the connection open.
        self.connection.cancel_timer(IDLE);
        Ok(())
    }

    fn on_writable(&self) -> Result<(), Failure> {
        Ok(())
    }

    fn on_timer(&self, _: u32) -> Result<(), Failure> {
        self.part("\nNothing more? Goodbye.\n");
        Ok(())
    }

    fn on_shutdown(&self) -> Result<(), Failure> {
        self.say("\nThe server is stopping. Goodbye.\n");
        Ok(())
    }

    fn save(&self) -> Option<Vec<u8>> {
        Some(self.calculator.borrow().ans().to_le_bytes().to_vec())
    }
}

// Only for wasm: native linkers, which the unit tests use, do not accept the exports' names.
#[cfg(target_family = "wasm")]
export!(Calc);

/// The value of the variable, if it is a number.
fn idle_ms(variable: Option<String>) -> u32 {
    variable
        .and_then(|text| text.parse().ok())
        .unwrap_or(IDLE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifest::Guest as _;

    #[test]
    fn it_asks_for_lines() {
        assert_eq!(Calc::describe().framing, "lines");
    }

    #[test]
    fn patience_can_be_changed() {
        assert_eq!(idle_ms(Some("250".to_owned())), 250);
        assert_eq!(idle_ms(Some("soon".to_owned())), IDLE_MS);
        assert_eq!(idle_ms(None), IDLE_MS);
    }
}
