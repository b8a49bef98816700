//! One file, many services, and reloads of it.

mod backlog;
mod doors;
mod example;
mod files;
mod load;
mod reload;
pub mod site;
mod values;
