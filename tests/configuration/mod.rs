//! One file, many services, and reloads of it.

mod backlog;
mod doors;
mod example;
mod files;
mod load;
pub mod mistakes;
mod reload;
pub mod site;
mod values;
