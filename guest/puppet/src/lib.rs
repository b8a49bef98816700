//! Executes the command in each line on its connection: shows what a conversation can do, and
//! misbehaves on request, to show how the host reacts. `help` lists the commands.
//!
//! A line may have several commands, separated by `; `: they run in one callback.

wit_bindgen::generate!({ path: "../../wit", world: "securing-conversation-handler" });

use echo_host::handler::connections::Connection;
use echo_host::handler::types::Failure;
use exports::echo_host::handler::{conversation, manifest, securing};
use std::cell::{Cell, RefCell};
use std::env;
use std::rc::Rc;
use std::time::{Instant, SystemTime};

const HELP: &str = "\
peer            who is on the other side
say TEXT        sends a line
tell ID TEXT    sends a line to the session of this number
sessions        the numbers of the sessions of this instance
ended           how many sessions of this instance were dropped
flood SIZE      sends so many bytes, 64 KiB whenever there is room
queue SIZE      sends so many bytes at once and tells what is queued then
info NAME       a detail of the connection
framing FORM    as for --framing
pause, resume   stops reading, and reads again: resume ID for another session
tls             starts TLS
timer ID MS     sets a timer
clock           the seconds since the session opened, by both clocks
cancel ID       cancels it
close, reset    closes the connection
fail KIND TEXT  returns a failure, such as protocol, refused or internal
panic, spin     what they say
";

/// The size of one send of a flood, and where the next one waits for room.
const FLOOD_PIECE: usize = 64 << 10;
const FLOOD_MARK: u64 = 300 << 10;

struct Puppet;

impl manifest::Guest for Puppet {
    /// Describes the handler as the variables `PUPPET_NAME`, `PUPPET_FRAMING` and `PUPPET_MAX` say.
    fn describe() -> manifest::About {
        let told = |name: &str, default: &str| env::var(name).unwrap_or(default.to_owned());
        manifest::About {
            name: told("PUPPET_NAME", "puppet"),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            framing: told("PUPPET_FRAMING", "lines"),
            max_message_bytes: number(&told("PUPPET_MAX", "65536"))
                .expect("PUPPET_MAX is a number"),
        }
    }
}

impl conversation::Guest for Puppet {
    type Session = Session;
}

thread_local! {
    /// The connections of this instance's sessions.
    static SESSIONS: RefCell<Vec<Rc<Connection>>> = const { RefCell::new(Vec::new()) };
    static ENDED: Cell<u64> = const { Cell::new(0) };
}

struct Session {
    connection: Rc<Connection>,
    flood: Cell<usize>,
    opened: (Instant, SystemTime),
}

impl conversation::GuestSession for Session {
    fn open(connection: Connection, _: Option<Vec<u8>>) -> Result<conversation::Session, Failure> {
        let connection = Rc::new(connection);
        connection.send(b"ready\n");
        SESSIONS.with_borrow_mut(|sessions| sessions.push(connection.clone()));
        Ok(conversation::Session::new(Session {
            connection,
            flood: Cell::new(0),
            opened: (Instant::now(), SystemTime::now()),
        }))
    }

    fn on_message(&self, message: Vec<u8>) -> Result<(), Failure> {
        let message = String::from_utf8_lossy(&message);
        message
            .split("; ")
            .try_for_each(|command| self.obey(command))
    }

    fn on_eof(&self) -> Result<(), Failure> {
        self.say("eof");
        Ok(())
    }

    fn on_writable(&self) -> Result<(), Failure> {
        self.flood();
        Ok(())
    }

    fn on_timer(&self, id: u32) -> Result<(), Failure> {
        self.say(&format!("timer {id}"));
        Ok(())
    }

    fn on_shutdown(&self) -> Result<(), Failure> {
        self.say("goodbye");
        Ok(())
    }

    fn save(&self) -> Option<Vec<u8>> {
        None
    }
}

impl Session {
    fn say(&self, text: &str) {
        self.connection.send(format!("{text}\n").as_bytes());
    }

    fn obey(&self, command: &str) -> Result<(), Failure> {
        let (command, rest) = command.split_once(' ').unwrap_or((command, ""));
        let (first, second) = rest.split_once(' ').unwrap_or((rest, ""));
        match command {
            "peer" => self.say(&format!("{:?}", self.connection.peer())),
            "info" => self.say(&format!("{:?}", self.connection.info(first))),
            "say" => self.say(rest),
            "tell" => tell(first, second),
            "sessions" => self.say(&sessions()),
            "ended" => self.say(&ENDED.get().to_string()),
            "flood" => {
                self.flood.set(number(first)? as usize);
                self.flood();
            }
            "queue" => {
                self.connection.send(&vec![b'x'; number(first)? as usize]);
                self.say(&self.connection.queued().to_string());
            }
            "framing" => self.connection.set_framing(first),
            "pause" => self.connection.pause(),
            "resume" => resume(first),
            "tls" => self.connection.start_tls(),
            "timer" => self.connection.set_timer(number(first)?, number(second)?),
            "clock" => {
                let (monotonic, wall) = self.opened;
                let wall = wall.elapsed().unwrap_or_default();
                self.say(&format!(
                    "{} {}",
                    monotonic.elapsed().as_secs(),
                    wall.as_secs()
                ));
            }
            "cancel" => self.connection.cancel_timer(number(first)?),
            "close" => self.connection.close(),
            "reset" => self.connection.reset(),
            "fail" => return Err(failure(first, second)),
            "panic" => panic!("{rest}"),
            "spin" => loop {
                std::hint::spin_loop();
            },
            _ => self.connection.send(HELP.as_bytes()),
        }
        Ok(())
    }

    /// Sends the rest of a flood while there is room; what is left waits for `on-writable`.
    fn flood(&self) {
        while self.flood.get() > 0 && self.connection.queued() < FLOOD_MARK {
            let piece = self.flood.get().min(FLOOD_PIECE);
            self.connection.send(&vec![b'x'; piece]);
            self.flood.set(self.flood.get() - piece);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        ENDED.set(ENDED.get() + 1);
        SESSIONS.with_borrow_mut(|sessions| {
            sessions.retain(|other| !Rc::ptr_eq(other, &self.connection));
        });
    }
}

impl securing::Guest for Puppet {
    fn on_secured(session: conversation::SessionBorrow<'_>) -> Result<(), Failure> {
        session.get::<Session>().say("secured");
        Ok(())
    }
}

// Only for wasm: native linkers, which the unit tests use, do not accept the exports' names.
#[cfg(target_family = "wasm")]
export!(Puppet);

fn tell(id: &str, text: &str) {
    with(id, |other| other.send(format!("{text}\n").as_bytes()));
}

fn resume(id: &str) {
    with(id, Connection::resume);
}

/// Does something with the connection of this number, if this instance serves it.
fn with(id: &str, act: impl FnOnce(&Connection)) {
    SESSIONS.with_borrow(|sessions| {
        let mut others = sessions.iter().filter(|other| other.id().to_string() == id);
        if let Some(other) = others.next() {
            act(other);
        }
    });
}

fn sessions() -> String {
    SESSIONS.with_borrow(|sessions| {
        let ids: Vec<_> = sessions
            .iter()
            .map(|session| session.id().to_string())
            .collect();
        ids.join(" ")
    })
}

fn number(text: &str) -> Result<u32, Failure> {
    text.parse()
        .map_err(|_| failure("protocol", &format!("`{text}` is not a number")))
}

fn failure(kind: &str, reason: &str) -> Failure {
    let reason = match reason {
        "" => "as asked".to_owned(),
        reason => reason.to_owned(),
    };
    let kind = kind.to_owned();
    Failure { kind, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_number_is_the_clients_fault() {
        assert_eq!(number("42").unwrap(), 42);
        assert_eq!(number("x").unwrap_err().kind, "protocol");
    }

    proptest! {
        #[test]
        fn any_words_are_understood_or_refused(text in "[-:,0-9a-fx\u{0}-\u{ff}]{0,30}") {
            let (_, _) = (number(&text), failure(&text, &text));
        }
    }
}
