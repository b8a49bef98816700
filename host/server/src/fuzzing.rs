//! The entry points of the fuzz targets in `host/fuzz`: each takes an input and panics if an
//! invariant is violated. The invariants are in modules `invariants` beside the code.

pub use crate::admission::invariants::check as admission;
pub use crate::admission::invariants::check_upgrade as upgrade;
pub use crate::datagram::invariants::check as datagrams;
pub use crate::telnet::invariants::check as telnet;

#[cfg(test)]
#[path = "../../fuzz/corpus.rs"]
mod corpus;

#[test]
fn every_file_of_the_corpus_passes() {
    corpus::replay(&[
        ("admission", admission),
        ("datagrams", datagrams),
        ("telnet", telnet),
        ("websocket", upgrade),
    ]);
}
