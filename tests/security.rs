//! The tests that SECURITY.md names for its claims exist.

use crate::fixture::root;
use std::fs;

/// The rows of the tables that have a column of tests, below their heads.
fn claims(page: &str) -> Vec<&str> {
    let tables = page.split("\n\n").filter_map(|part| {
        let (head, rows) = part.split_once("\n|---")?;
        head.ends_with("| tests |").then_some(rows)
    });
    tables.flat_map(|rows| rows.lines().skip(1)).collect()
}

/// The parts of a reference `FILE::TEST`.
fn tests(row: &str) -> Vec<(&str, &str)> {
    let quoted = row.split('`').skip(1).step_by(2);
    quoted.filter_map(|name| name.split_once(".rs::")).collect()
}

/// Whether a file has a test with this name: a function below a test attribute, or among
/// properties.
fn has_test(source: &str, name: &str) -> bool {
    let Some(at) = source.find(&format!("fn {name}(")) else {
        return false;
    };
    let above = source[..at].rsplit("\n\n").next().unwrap_or_default();
    above.contains("#[test]") || above.contains("#[tokio::test")
}

#[test]
fn each_claim_names_tests_that_exist() {
    let page = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let claims = claims(&page);
    assert!(claims.len() > 30, "{claims:?}");
    for row in claims {
        let named = tests(row);
        assert!(!named.is_empty(), "no test is named: {row}");
        for (file, name) in named {
            let path = root().join(format!("{file}.rs"));
            let source = fs::read_to_string(&path).unwrap_or_default();
            assert!(
                has_test(&source, name),
                "{file}.rs has no test {name}: {row}"
            );
        }
    }
}

#[test]
fn what_is_no_test_is_not_taken_for_one() {
    let source =
        "#[test]\nfn one() {}\n\nfn two() {}\n\n    #[test]\n    // Why.\n    fn three(x: u8) {}\n";
    assert!(has_test(source, "one") && has_test(source, "three"));
    assert!(!has_test(source, "two") && !has_test(source, "four"));
}
