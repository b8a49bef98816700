//! Tests that screening keeps its promise: what it accepts compiles in about the time and memory of
//! its weight.

pub mod invariants;
#[cfg(test)]
mod tests;
