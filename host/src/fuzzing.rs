//! The entry points of the fuzz targets in `host/fuzz`: each takes an input and panics if an
//! invariant is violated.
//!
//! The invariants are in modules `invariants` beside the code, and are also checked with random
//! values there.

pub use crate::address::invariants::check as address;
pub use crate::admission::invariants::check as admission;
pub use crate::config::invariants::check as config;
pub use crate::control::invariants::check as control;
pub use crate::engine::screening::invariants::check as screening;
pub use crate::exchange::invariants::check as exchange;
pub use crate::framing::invariants::check as framing;

/// UDP senders: queueing, cutting, and the amplification limit.
pub fn datagrams(input: &[u8]) {
    crate::connection::invariants::check(input);
    crate::datagram::invariants::check(input);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::{Path, PathBuf};

    type Target = fn(&[u8]);

    const TARGETS: [(&str, Target); 8] = [
        ("address", address),
        ("admission", admission),
        ("config", config),
        ("control", control),
        ("datagrams", datagrams),
        ("exchange", exchange),
        ("framing", framing),
        ("screening", screening),
    ];

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
    }

    #[test]
    fn every_file_of_the_corpus_passes() {
        for (name, target) in TARGETS {
            let files: Vec<_> = fs::read_dir(folder().join(name)).unwrap().collect();
            assert!(files.len() > 5, "{name}");
            for file in files {
                target(&fs::read(file.unwrap().path()).unwrap());
            }
        }
    }
}
