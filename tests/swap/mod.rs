//! Swaps of the handler under live connections.

mod crowd;
mod load;
mod moves;
mod orders;
mod post;
mod refusals;
mod thousands;
mod versions;
