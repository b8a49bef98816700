//! Executes the command in each line on its connection: shows what a conversation can do, and
//! misbehaves on request, to show how the host reacts. `help` lists the commands.
//!
//! A line may have several commands, separated by `; `: they run in one callback.

use echo_host_guest::{Connection, Failure, Result, Session, Timer};
use std::cell::{Cell, RefCell};
use std::env;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

// The variables `PUPPET_NAME`, `PUPPET_FRAMING` and `PUPPET_MAX` change what it declares.
echo_host_guest::conversation!(
    Puppet,
    name: told("PUPPET_NAME", "puppet"),
    framing: told("PUPPET_FRAMING", "lines"),
    max_message_bytes: number(&told("PUPPET_MAX", "65536")).expect("PUPPET_MAX is a number"),
);

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
sleep MS        waits, without computing
panic, spin     what they say
";

/// The size of one send of a flood, and where the next one waits for room.
const FLOOD_PIECE: usize = 64 << 10;
const FLOOD_MARK: u64 = 300 << 10;

thread_local! {
    /// The connections of this instance's sessions.
    static SESSIONS: RefCell<Vec<Rc<Connection>>> = const { RefCell::new(Vec::new()) };
    static ENDED: Cell<u64> = const { Cell::new(0) };
}

struct Puppet {
    connection: Rc<Connection>,
    flood: usize,
    opened: (Instant, SystemTime),
}

impl Session for Puppet {
    fn open(connection: Connection, _: Option<Vec<u8>>) -> Result<Self> {
        let connection = Rc::new(connection);
        connection.send_line("ready");
        SESSIONS.with_borrow_mut(|sessions| sessions.push(connection.clone()));
        Ok(Puppet {
            connection,
            flood: 0,
            opened: (Instant::now(), SystemTime::now()),
        })
    }

    fn on_message(&mut self, message: Vec<u8>) -> Result {
        let message = String::from_utf8_lossy(&message);
        message
            .split("; ")
            .try_for_each(|command| self.obey(command))
    }

    fn on_eof(&mut self) -> Result {
        self.connection.send_line("eof");
        Ok(())
    }

    fn on_writable(&mut self) -> Result {
        self.flood();
        Ok(())
    }

    fn on_timer(&mut self, timer: Timer) -> Result {
        writeln!(self.connection, "timer {}", timer.id());
        Ok(())
    }

    fn on_secured(&mut self) -> Result {
        self.connection.send_line("secured");
        Ok(())
    }

    fn on_shutdown(&mut self) -> Result {
        self.connection.send_line("goodbye");
        Ok(())
    }
}

impl Puppet {
    fn obey(&mut self, command: &str) -> Result {
        let (command, rest) = command.split_once(' ').unwrap_or((command, ""));
        let (first, second) = rest.split_once(' ').unwrap_or((rest, ""));
        match command {
            "peer" => writeln!(self.connection, "{:?}", self.connection.peer()),
            "info" => writeln!(self.connection, "{:?}", self.connection.info(first)),
            "say" => self.connection.send_line(rest),
            "tell" => tell(first, second),
            "sessions" => self.connection.send_line(sessions()),
            "ended" => writeln!(self.connection, "{}", ENDED.get()),
            "flood" => {
                self.flood = number(first)? as usize;
                self.flood();
            }
            "queue" => {
                self.connection.send(vec![b'x'; number(first)? as usize]);
                writeln!(self.connection, "{}", self.connection.queued());
            }
            "framing" => self.connection.set_framing(first),
            "pause" => self.connection.pause(),
            "resume" => resume(first),
            "tls" => self.connection.start_tls(),
            "timer" => {
                let delay = Duration::from_millis(number(second)?.into());
                self.connection.set_timer(number(first)?, delay);
            }
            "clock" => {
                let (monotonic, wall) = self.opened;
                let wall = wall.elapsed().unwrap_or_default();
                let monotonic = monotonic.elapsed();
                writeln!(
                    self.connection,
                    "{} {}",
                    monotonic.as_secs(),
                    wall.as_secs()
                );
            }
            "cancel" => self.connection.cancel_timer(number(first)?),
            "close" => self.connection.close(),
            "reset" => self.connection.reset(),
            "fail" => return Err(failure(first, second)),
            "sleep" => thread::sleep(Duration::from_millis(number(first)?.into())),
            "panic" => panic!("{rest}"),
            "spin" => loop {
                std::hint::spin_loop();
            },
            _ => self.connection.send(HELP),
        }
        Ok(())
    }

    /// Sends the rest of a flood while there is room; what is left waits for `on-writable`.
    fn flood(&mut self) {
        while self.flood > 0 && self.connection.queued() < FLOOD_MARK {
            let piece = self.flood.min(FLOOD_PIECE);
            self.connection.send(vec![b'x'; piece]);
            self.flood -= piece;
        }
    }
}

impl Drop for Puppet {
    fn drop(&mut self) {
        ENDED.set(ENDED.get() + 1);
        SESSIONS.with_borrow_mut(|sessions| {
            sessions.retain(|other| !Rc::ptr_eq(other, &self.connection));
        });
    }
}

fn told(name: &str, default: &str) -> String {
    env::var(name).unwrap_or(default.to_owned())
}

fn tell(id: &str, text: &str) {
    with(id, |other| other.send_line(text));
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

fn number(text: &str) -> Result<u32> {
    text.parse()
        .map_err(|_| Failure::protocol(format!("`{text}` is not a number")))
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
