//! An echo that goes wrong at the point, and in the way, that a file tells it: so one can watch what the host
//! makes of it. `/orders/POINT`, where there is one, names a misdeed that is done, once, when POINT is reached:
//! `start`, `describe`, `open`, `message`, `eof`, `timer`, `writable`, `shutdown`, `save` or `drop`.
//!
//! Besides the misdeeds of all guests it knows some that only a conversation can do: see `Session::act`.

wit_bindgen::generate!({ path: "../../wit", world: "conversation-handler" });

use echo_host::handler::connections::Connection;
use echo_host::handler::types::{Failure, Framing};
use exports::echo_host::handler::{conversation, manifest};
use std::cell::RefCell;
use std::rc::Rc;
use std::{fs, mem};

const ORDERS: &str = "/orders";

struct Saboteur;

impl manifest::Guest for Saboteur {
    fn describe() -> manifest::About {
        misdo("describe");
        manifest::About {
            name: "saboteur".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            framing: Framing::Lines,
            max_message_bytes: 4096,
        }
    }
}

impl conversation::Guest for Saboteur {
    type Session = Session;
}

struct Session {
    connection: Rc<Connection>,
}

thread_local! {
    /// A connection whose session has ended.
    static KEPT: RefCell<Option<Rc<Connection>>> = const { RefCell::new(None) };
}

impl conversation::GuestSession for Session {
    fn open(
        connection: Connection,
        saved: Option<Vec<u8>>,
    ) -> Result<conversation::Session, Failure> {
        let connection = Rc::new(connection);
        let session = Session { connection };
        session.act("open");
        let greeting: &[u8] = match saved {
            Some(_) => b"back\n",
            None => b"ready\n",
        };
        session.connection.send(greeting);
        Ok(conversation::Session::new(session))
    }

    fn on_message(&self, mut message: Vec<u8>) -> Result<(), Failure> {
        self.act("message");
        message.push(b'\n');
        self.connection.send(&message);
        Ok(())
    }

    fn on_eof(&self) -> Result<(), Failure> {
        self.act("eof");
        Ok(())
    }

    fn on_writable(&self) -> Result<(), Failure> {
        self.act("writable");
        Ok(())
    }

    fn on_timer(&self, _: u32) -> Result<(), Failure> {
        self.act("timer");
        Ok(())
    }

    fn on_shutdown(&self) -> Result<(), Failure> {
        self.act("shutdown");
        Ok(())
    }

    fn save(&self) -> Option<Vec<u8>> {
        Some(vec![b's'; self.act("save")])
    }
}

impl Session {
    /// Does what is ordered for this point, and returns the number in the order, if it only is one.
    ///
    /// It can ask things of its connection, so many of them in one callback (`sends`, `timers`, `framings`), or send
    /// so much once or twice (`flood`, `floods`); make sessions, which are handles of its own, until there is no room
    /// (`sessions`); use a handle that was never its own (`forge`); and `keep` its connection beyond its end, for
    /// another session to send to (`haunt`).
    fn act(&self, point: &str) -> usize {
        let order = order(point);
        let (name, rest) = order.split_once(' ').unwrap_or((&order, ""));
        let number = rest.parse().unwrap_or_default();
        match name {
            "bytes" => return number as usize,
            "sends" => (0..number).for_each(|_| self.connection.send(b"x")),
            "flood" => self.connection.send(&vec![b'x'; number as usize]),
            "floods" => (0..9).for_each(|_| self.connection.send(&vec![b'x'; number as usize])),
            "keep" => KEPT.set(Some(self.connection.clone())),
            "haunt" => KEPT.with_borrow(|kept| {
                let kept = kept.as_ref().expect("a connection was kept");
                kept.send(&vec![b'x'; number as usize]);
            }),
            "timers" => (0..number).for_each(|id| self.connection.set_timer(id, id)),
            "framings" => (0..number).for_each(|_| self.connection.set_framing(&Framing::Lines)),
            "sessions" => loop {
                let connection = self.connection.clone();
                mem::forget(conversation::Session::new(Session { connection }));
            },
            "forge" => forge(number).send(b"forged\n"),
            _ => {
                misdeeds::commit(name, rest);
            }
        }
        0
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.act("drop");
    }
}

/// Runs while an instance is made, before anything in it is called.
#[cfg(target_family = "wasm")]
#[used]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = {
    extern "C" fn start() {
        misdo("start");
    }
    start
};

// Only for wasm: a native linker, which the unit tests use, has no way to spell the exports' names.
#[cfg(target_family = "wasm")]
export!(Saboteur);

/// What is to be done at this point, and only once: nothing, if no file says so.
fn order(point: &str) -> String {
    let path = format!("{ORDERS}/{point}");
    let order = fs::read_to_string(&path).unwrap_or_default();
    let _ = fs::remove_file(path);
    order.trim().to_owned()
}

/// Does what is ordered for a point where there is no connection yet.
fn misdo(point: &str) {
    let order = order(point);
    let (name, rest) = order.split_once(' ').unwrap_or((&order, ""));
    misdeeds::commit(name, rest);
}

/// A handle that nobody has given to this instance.
fn forge(handle: u32) -> Connection {
    // SAFETY: it is no handle of ours, which is for the host to find out.
    unsafe { Connection::from_handle(handle) }
}
