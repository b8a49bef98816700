//! What handlers are given beside their clients: values that are kept, and servers to connect to.

mod keyvalue;
mod outgoing;
mod redis;
