//! The version of the protocol. Another one may mean anything.

/// The protocol version of this host and client.
pub const PROTOCOL_VERSION: u32 = 1;
