//! Telnet (RFC 854) over a TCP connection: takes the protocol off, and leaves text. The codec is
//! pure; the stream moves its bytes.

mod codec;
#[cfg(any(test, fuzzing))]
pub(crate) mod invariants;
mod options;
mod stream;

pub use codec::{Codec, TelnetError};
pub use stream::TelnetStream;

use choices::choices;

choices! {
    /// What an interrupt of a telnet client does.
    pub enum Interrupt {
        /// Close the connection
        End = "end",
        /// Hand over the byte 03
        Pass = "pass",
    }
}
