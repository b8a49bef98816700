//! Replays the corpus of fuzz targets. The crates of the host include this file in their tests.

use std::fs;
use std::path::Path;

/// The name of a directory in `host/fuzz/corpus`, and the function called with each file in it.
pub type Target = (&'static str, fn(&[u8]));

/// Calls each target with every file of its corpus.
pub fn replay(targets: &[Target]) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for (name, target) in targets {
        let files: Vec<_> = fs::read_dir(corpus.join(name)).unwrap().collect();
        assert!(files.len() > 5, "{name}");
        for file in files {
            target(&fs::read(file.unwrap().path()).unwrap());
        }
    }
}
