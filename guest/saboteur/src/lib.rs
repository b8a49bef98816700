//! An echo that fails at a point, and in a way, that a file chooses, to show how the host reacts.
//! The file `/orders/POINT`, if there is one, names a misdeed that runs once when POINT is reached:
//! `start`, `describe`, `open`, `message`, `eof`, `timer`, `writable`, `shutdown`, `save` or
//! `drop`.
//!
//! Besides the misdeeds of all guests it knows some that only a conversation can do: see
//! `Session::act`.

wit_bindgen::generate!({ path: "../../wit", world: "conversation-handler" });

use echo_host::handler::connections::Connection;
use echo_host::handler::types::Failure;
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
            framing: "lines".to_owned(),
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
    /// Executes the order for this point. Returns the number in the order, if it is only a number.
    ///
    /// It can make many requests of its connection in one callback (`sends`, `timers`, `framings`),
    /// send a lot once or twice (`flood`, `floods`), create sessions, which are handles of its own,
    /// until there is no room (`sessions`), use a handle that it never had (`forge`), and keep its
    /// connection after it has ended, for another session to send to (`keep`, `haunt`).
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
            "framings" => (0..number).for_each(|_| self.connection.set_framing("lines")),
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

/// Runs during instantiation, before any export is called.
#[cfg(target_family = "wasm")]
#[used]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = {
    extern "C" fn start() {
        misdo("start");
    }
    start
};

// Only for wasm: native linkers, which the unit tests use, do not accept the exports' names.
#[cfg(target_family = "wasm")]
export!(Saboteur);

/// The order for this point, which is taken only once; nothing without a file.
fn order(point: &str) -> String {
    let path = format!("{ORDERS}/{point}");
    let order = fs::read_to_string(&path).unwrap_or_default();
    let _ = fs::remove_file(path);
    order.trim().to_owned()
}

/// Executes the order for a point where there is no connection yet.
fn misdo(point: &str) {
    let order = order(point);
    let (name, rest) = order.split_once(' ').unwrap_or((&order, ""));
    misdeeds::commit(name, rest);
}

/// A handle that nobody gave to this instance.
fn forge(handle: u32) -> Connection {
    // SAFETY: the handle is not ours; it is the host's task to notice.
    unsafe { Connection::from_handle(handle) }
}
