//! Documents describe options as the host does.

use crate::fixture::{echo_host, root};
use std::fs;

const BEGIN: &str = "<!-- written by cargo xtask reference: ";

fn said(name: &str) -> String {
    let finished = echo_host(&["reference-of-options", name]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    finished.stdout
}

#[test]
fn the_tables_of_options_are_up_to_date() {
    let pages = [
        ("docs/reference/options.md", "options"),
        ("docs/reference/keys.md", "keys"),
        ("docs/reference/limits.md", "limits"),
        ("docs/reference/limits.md", "bounds"),
        ("docs/operate/configuration.md", "fixed"),
    ];
    for (path, name) in pages {
        let page = fs::read_to_string(root().join(path)).unwrap();
        let (_, part) = page
            .split_once(&format!("{BEGIN}{name} -->\n"))
            .expect(path);
        let (part, _) = part
            .split_once(&format!("<!-- end of {name} -->"))
            .expect(path);
        assert!(
            part == said(name),
            "{path} is stale: run `cargo xtask reference`"
        );
    }
}

#[test]
fn the_schema_and_the_example_are_up_to_date() {
    for (path, name) in [
        ("host/echo-host.schema.json", "schema"),
        ("host/echo-host.example.toml", "example"),
    ] {
        let file = fs::read_to_string(root().join(path)).unwrap();
        assert!(
            file == said(name),
            "{path} is stale: run `cargo xtask reference`"
        );
    }
}
