//! The entry point of the fuzz target in `host/fuzz`: it takes an input and panics if an invariant is
//! violated.

pub use crate::invariants::check as address;

#[cfg(test)]
#[path = "../../fuzz/corpus.rs"]
mod corpus;

#[test]
fn every_file_of_the_corpus_passes() {
    corpus::replay(&[("address", address)]);
}
