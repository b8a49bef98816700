//! Services that handlers may use: stored values, and servers to connect to.

mod keyvalue;
mod outgoing;
mod redis;
