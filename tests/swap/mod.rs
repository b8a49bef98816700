//! Swaps of the handler under live connections.

pub mod crowd;
mod load;
mod moves;
mod orders;
pub mod post;
mod refusals;
mod thousands;
pub mod versions;
