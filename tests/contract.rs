//! Components that were built for earlier versions of the contract, which every later host serves
//! unchanged. `tests/contract/README.md` says how they were made.

use crate::fixture::{Host, echo_host, root};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// More than the largest component.
const MAX_BYTES: usize = 64 << 20;
const LANGUAGES: [&str; 3] = ["rust", "c", "python"];

/// The components of a version, unpacked.
struct Built {
    folder: TempDir,
    version: &'static str,
}

impl Built {
    fn of(version: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Built { folder, version }
    }

    /// The component in this language.
    fn component(&self, language: &str) -> String {
        let packed = self.file(&format!("{language}.wasm.zst"));
        let component = zstd::bulk::decompress(&fs::read(packed).unwrap(), MAX_BYTES).unwrap();
        let path = self.folder.path().join(format!("{language}.wasm"));
        fs::write(&path, component).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn file(&self, name: &str) -> PathBuf {
        root().join("tests/contract").join(self.version).join(name)
    }
}

#[test]
fn what_was_built_for_0_2_0_is_served() {
    let built = Built::of("0.2.0");
    let exchanges = built.file("counter.exchange");
    for language in LANGUAGES {
        let component = built.component(language);
        let checked = echo_host(&["check", &component]);
        assert_eq!(checked.code, Some(0), "{language}: {checked:?}");
        for told in [
            "contract  echo-host:handler@0.2.0",
            "kind      conversation-handler",
            "framing   lines",
        ] {
            assert!(checked.stdout.contains(told), "{language}: {checked:?}");
        }
        let tested = echo_host(&["test", &component, exchanges.to_str().unwrap()]);
        assert_eq!(tested.code, Some(0), "{language}: {tested:?}");
    }
}

#[test]
fn a_session_moves_between_them() {
    let built = Built::of("0.2.0");
    let handler = built.folder.path().join("handler.wasm");
    let put = |component: String| fs::copy(component, &handler).map(drop).unwrap();
    put(built.component("rust"));
    let handler = handler.to_str().unwrap();
    // Python's interpreter imports them.
    let allowed = ["--allow-import", "wasi:sockets"];
    let host = Host::serve(&[&["--swap", "migrate", handler], &allowed[..]].concat());
    let mut client = host.connect();
    client.expect("hello\n");
    assert_eq!(client.ask("one"), "1 one");
    for (count, language) in [(2, "c"), (3, "python"), (4, "rust")] {
        put(built.component(language));
        host.process.signal(rustix::process::Signal::HUP);
        host.wait_for_log(&format!("generation {count}: 1 connection migrated"));
        assert_eq!(client.ask(language), format!("{count} {language}"));
    }
}
