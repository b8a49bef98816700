//! The entry points of the fuzz targets in `host/fuzz`: each takes an input and panics if an
//! invariant is violated. The invariants are in modules `invariants` beside the code.

pub use crate::invariants::check as config;

#[cfg(test)]
#[path = "../../fuzz/corpus.rs"]
mod corpus;

#[test]
fn every_file_of_the_corpus_passes() {
    corpus::replay(&[("config", config)]);
}
