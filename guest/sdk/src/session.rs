//! Conversations: callbacks for one connection.

use crate::bindings::conversing::conversation::{self, GuestSession};
use crate::{Connection, Result, Timer, bindings, logging};
use std::cell::RefCell;

/// A conversation's state for one connection, and its callbacks.
///
/// **Commit on return.** What a callback sends, sets or closes takes effect in that order when it
/// returns `Ok`; after an error or a panic nothing takes effect. An error ends the session:
/// [`Failure`](crate::Failure) says what the client still receives.
///
/// The session is dropped once, when its connection ends for any reason.
pub trait Session: Sized + 'static {
    /// A client has connected, and has sent nothing yet: the session may speak first. If the
    /// handler was swapped, `saved` has what [`save`] returned in the previous version.
    ///
    /// [`save`]: Session::save
    fn open(connection: Connection, saved: Option<Vec<u8>>) -> Result<Self>;

    /// The client has sent a message, cut by the framing.
    fn on_message(&mut self, message: Vec<u8>) -> Result;

    /// The client has finished sending. It may still read: what this callback sends reaches it.
    fn on_eof(&mut self) -> Result {
        Ok(())
    }

    /// More than 256 KiB were queued, and at most half of that is left: a session that produces
    /// data without end continues here.
    fn on_writable(&mut self) -> Result {
        Ok(())
    }

    /// A timer has fired. It compares with its name or number: `timer == "reminder"`.
    fn on_timer(&mut self, timer: Timer) -> Result {
        let _ = timer;
        Ok(())
    }

    /// The connection for which the session called
    /// [`start_tls`](crate::Connection::start_tls) is secured.
    fn on_secured(&mut self) -> Result {
        Ok(())
    }

    /// The host stops, or swaps this handler out: the session can say goodbye.
    fn on_shutdown(&mut self) -> Result {
        Ok(())
    }

    /// The state that the next version's [`open`](Session::open) needs to continue this session;
    /// `None` if it cannot continue. Timers that are set survive a migration: they need not be
    /// saved.
    fn save(&mut self) -> Option<Vec<u8>> {
        None
    }
}

/// Makes the crate a conversation: a type that implements [`Session`], with one value for each
/// connection.
///
/// ```
/// use echo_host_guest::{Connection, Result, Session};
///
/// echo_host_guest::conversation!(Counter, framing: "lines");
///
/// struct Counter {
///     connection: Connection,
///     lines: u64,
/// }
///
/// impl Session for Counter {
///     fn open(connection: Connection, _: Option<Vec<u8>>) -> Result<Self> {
///         connection.send_line("count with me");
///         Ok(Counter { connection, lines: 0 })
///     }
///
///     fn on_message(&mut self, _: Vec<u8>) -> Result {
///         self.lines += 1;
///         writeln!(self.connection, "{}", self.lines);
///         Ok(())
///     }
/// }
/// # fn main() {}
/// ```
///
/// The methods of [`About`](crate::About) are the possible arguments after the type. Name and
/// version default to the crate's.
#[macro_export]
macro_rules! conversation {
    ($session:ty $(, $key:ident: $value:expr)* $(,)?) => {
        const _: () = {
            struct Handler;

            impl $crate::bindings::conversing::conversation::Guest for Handler {
                type Session = $crate::session::Slot<$session>;
            }

            impl $crate::bindings::conversing::securing::Guest for Handler {
                fn on_secured(
                    session: $crate::bindings::conversing::conversation::SessionBorrow<'_>,
                ) -> $crate::Result {
                    session.get::<$crate::session::Slot<$session>>().on_secured()
                }
            }

            // Only for wasm: native linkers, which unit tests use, do not accept the exports'
            // names.
            #[cfg(target_family = "wasm")]
            $crate::bindings::conversing::export_conversing!(Handler);
            // Marks exports as used, also where they are not exported.
            const _: $crate::session::Open<$session> = <$session as $crate::Session>::open;

            $crate::__describe!($($key: $value),*);
        };
    };
}

impl<S: Session> Slot<S> {
    /// The callback of the interface `securing`.
    pub fn on_secured(&self) -> Result {
        self.0.borrow_mut().on_secured()
    }
}

/// The type of [`Session::open`].
#[doc(hidden)]
pub type Open<S> = fn(Connection, Option<Vec<u8>>) -> Result<S>;

/// Holds a session while the host owns it. The contract shares it, but a session needs `&mut self`.
/// Callbacks of one instance run one at a time, so it is never borrowed twice.
#[doc(hidden)]
pub struct Slot<S>(RefCell<S>);

impl<S: Session> GuestSession for Slot<S> {
    fn open(
        connection: bindings::connections::Connection,
        saved: Option<Vec<u8>>,
    ) -> Result<conversation::Session> {
        logging::start();
        let session = S::open(Connection::from(connection), saved)?;
        Ok(conversation::Session::new(Slot(RefCell::new(session))))
    }

    fn on_message(&self, message: Vec<u8>) -> Result {
        self.0.borrow_mut().on_message(message)
    }

    fn on_eof(&self) -> Result {
        self.0.borrow_mut().on_eof()
    }

    fn on_writable(&self) -> Result {
        self.0.borrow_mut().on_writable()
    }

    fn on_timer(&self, id: u32) -> Result {
        self.0.borrow_mut().on_timer(Timer::from(id))
    }

    fn on_shutdown(&self) -> Result {
        self.0.borrow_mut().on_shutdown()
    }

    fn save(&self) -> Option<Vec<u8>> {
        self.0.borrow_mut().save()
    }
}
