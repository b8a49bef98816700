//! Writes results as JUnit XML, for continuous integration.

use exchange::Mismatch;
use std::fmt::Write;
use std::time::Duration;

/// The exchanges of one file.
pub struct Suite {
    /// The file.
    pub name: String,
    pub cases: Vec<Case>,
}

/// One exchange.
pub struct Case {
    pub name: String,
    pub time: Duration,
    /// The error in one line, and the details.
    pub failure: Option<(String, String)>,
}

/// The document: `testsuites` with a `testsuite` for each file.
pub fn document(suites: &[Suite]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all = || suites.iter().flat_map(|suite| &suite.cases);
    element(&mut xml, 0, "testsuites", "echo-host test", all());
    for suite in suites {
        element(&mut xml, 1, "testsuite", &suite.name, suite.cases.iter());
        for case in &suite.cases {
            case.write(&mut xml, &suite.name);
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

/// The start of an element with totals.
fn element<'a>(
    xml: &mut String,
    depth: usize,
    tag: &str,
    name: &str,
    cases: impl Iterator<Item = &'a Case> + Clone,
) {
    let failures = cases.clone().filter(|case| case.failure.is_some()).count();
    let time: Duration = cases.clone().map(|case| case.time).sum();
    // Writing to a String cannot fail.
    let _ = writeln!(
        xml,
        "{:indent$}<{tag} name=\"{}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" time=\"{:.3}\">",
        "",
        escape(name),
        cases.count(),
        time.as_secs_f64(),
        indent = 2 * depth,
    );
}

impl Case {
    pub fn new(name: String, time: Duration, mismatch: Option<Mismatch>) -> Self {
        let failure = mismatch.map(|mismatch| {
            let message = format!("line {}: {mismatch}", mismatch.line);
            (message, mismatch.diff)
        });
        Case {
            name,
            time,
            failure,
        }
    }

    fn write(&self, xml: &mut String, file: &str) {
        let _ = write!(
            xml,
            "    <testcase name=\"{}\" classname=\"{}\" time=\"{:.3}\"",
            escape(&self.name),
            escape(file),
            self.time.as_secs_f64(),
        );
        let _ = match &self.failure {
            None => writeln!(xml, "/>"),
            Some((message, details)) => writeln!(
                xml,
                ">\n      <failure message=\"{}\">{}</failure>\n    </testcase>",
                escape(message),
                escape(details),
            ),
        };
    }
}

/// Escapes text for an attribute or element. Characters that XML 1.0 forbids are replaced.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => {
                escaped.push(char);
            }
            _ => escaped.push('\u{fffd}'),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_contain_the_diff() {
        let case = |name: &str, failure| Case {
            name: name.to_owned(),
            time: Duration::from_millis(12),
            failure,
        };
        let failure = ("a & b".to_owned(), "  - < \"x\"\n".to_owned());
        let suites = [Suite {
            name: "calc.exchange".to_owned(),
            cases: vec![case("sums", None), case("<\u{1}>", Some(failure))],
        }];
        assert_eq!(
            document(&suites),
            r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="echo-host test" tests="2" failures="1" errors="0" time="0.024">
  <testsuite name="calc.exchange" tests="2" failures="1" errors="0" time="0.024">
    <testcase name="sums" classname="calc.exchange" time="0.012"/>
    <testcase name="&lt;�&gt;" classname="calc.exchange" time="0.012">
      <failure message="a &amp; b">  - &lt; &quot;x&quot;
</failure>
    </testcase>
  </testsuite>
</testsuites>
"#
        );
    }
}
