//! Which connections or messages share an instance.

use choices::choices;

choices! {
    /// What shares an instance of the handler.
    pub enum Isolation {
        /// One instance for each connection
        Connection = "connection",
        /// One instance for all connections
        ///
        /// It serves one message at a time. If it fails, the connection whose message it was is
        /// closed (with a conversation, all whose sessions it held), and a fresh instance serves
        /// the next.
        Shared = "shared",
        /// One instance for each message
        ///
        /// Nothing at all is remembered. For responders only.
        Message = "message",
    }
}
