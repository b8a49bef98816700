//! Conversations: what happens to one connection after the other.

use crate::bindings::conversing::conversation::{self, GuestSession};
use crate::{Connection, Result, bindings, logging};
use std::cell::RefCell;

/// A conversation's state for one connection, and what it does when something happens.
///
/// **Commit on return.** What a callback sends, sets or closes takes effect when it returns `Ok`, in that order; after
/// an error or a panic none of it does. An error ends the session: see [`Failure`](crate::Failure) for what the client still gets.
///
/// The session is dropped once, when its connection ends for whatever reason.
pub trait Session: Sized + 'static {
    /// A client has connected, and has sent nothing yet: the session may speak first. `saved` is what [`save`] returned
    /// in the version that served this connection before, if the handler was swapped.
    ///
    /// [`save`]: Session::save
    fn open(connection: Connection, saved: Option<Vec<u8>>) -> Result<Self>;

    /// The client has sent a message, as the framing cut it out.
    fn on_message(&mut self, message: Vec<u8>) -> Result;

    /// The client has finished sending. It may still be reading: what is sent here reaches it.
    fn on_eof(&mut self) -> Result {
        Ok(())
    }

    /// More than 256 KiB were queued, and half of that or less is left: a session that produces without end goes on.
    fn on_writable(&mut self) -> Result {
        Ok(())
    }

    /// A timer has run out.
    fn on_timer(&mut self, id: u32) -> Result {
        let _ = id;
        Ok(())
    }

    /// The host is stopping, or swaps this handler out: the time to say goodbye.
    fn on_shutdown(&mut self) -> Result {
        Ok(())
    }

    /// What the next version's [`open`](Session::open) needs to carry this session on; nothing if it can't be carried.
    fn save(&mut self) -> Option<Vec<u8>> {
        None
    }
}

/// Makes the crate a conversation: a type that is a [`Session`] has a value for each connection.
///
/// ```
/// use echo_host_guest::{Connection, Framing, Result, Session};
///
/// echo_host_guest::conversation!(Counter, framing: Framing::Lines);
///
/// struct Counter {
///     connection: Connection,
///     lines: u64,
/// }
///
/// impl Session for Counter {
///     fn open(connection: Connection, _: Option<Vec<u8>>) -> Result<Self> {
///         connection.send("count with me\n");
///         Ok(Counter { connection, lines: 0 })
///     }
///
///     fn on_message(&mut self, _: Vec<u8>) -> Result {
///         self.lines += 1;
///         self.connection.send(format!("{}\n", self.lines));
///         Ok(())
///     }
/// }
/// # fn main() {}
/// ```
///
/// What can be said behind the type are the methods of [`About`](crate::About); its name and version are the crate's
/// otherwise.
#[macro_export]
macro_rules! conversation {
    ($session:ty $(, $key:ident: $value:expr)* $(,)?) => {
        const _: () = {
            struct Handler;

            impl $crate::bindings::conversing::conversation::Guest for Handler {
                type Session = $crate::session::Slot<$session>;
            }

            // Only for wasm: a native linker, which unit tests use, has no way to spell the exports' names.
            #[cfg(target_family = "wasm")]
            $crate::bindings::conversing::export_conversing!(Handler);
            // What is exported is used, even where it is not.
            const _: $crate::session::Open<$session> = <$session as $crate::Session>::open;

            $crate::__describe!($($key: $value),*);
        };
    };
}

/// The type of [`Session::open`].
#[doc(hidden)]
pub type Open<S> = fn(Connection, Option<Vec<u8>>) -> Result<S>;

/// Where a session is while it is the host's: the contract shares it, and a session is alone with its state. Callbacks
/// of one instance run one at a time, so it is never borrowed twice.
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
        self.0.borrow_mut().on_timer(id)
    }

    fn on_shutdown(&self) -> Result {
        self.0.borrow_mut().on_shutdown()
    }

    fn save(&self) -> Option<Vec<u8>> {
        self.0.borrow_mut().save()
    }
}
