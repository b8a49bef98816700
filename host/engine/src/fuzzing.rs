//! What the fuzz targets of `host/fuzz` call: each function takes an input, and panics if something that must always
//! hold does not hold for it. The rules stand in a module `invariants` beside the code.

pub use crate::loading::screening::invariants::check as screening;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    type Target = fn(&[u8]);

    #[test]
    fn every_file_of_the_corpus_holds() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
        let targets: [(&str, Target); 1] = [("screening", super::screening)];
        for (name, target) in targets {
            let files: Vec<_> = fs::read_dir(corpus.join(name)).unwrap().collect();
            assert!(files.len() > 5, "{name}");
            for file in files {
                target(&fs::read(file.unwrap().path()).unwrap());
            }
        }
    }
}
