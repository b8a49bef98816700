//! The table in docs/handlers/languages.md.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result};

use super::HANDLERS;
use super::measure::Row;
use crate::{layout, step};

const PAGE: &str = "docs/handlers/languages.md";
const BEGIN: &str = "<!-- written by cargo xtask guest-table -->\n";
const END: &str = "<!-- end of what cargo xtask guest-table writes -->";

/// Writes the rows in place of those that are there.
pub fn write(rows: &[Row]) -> Result<()> {
    let path = layout::root().join(PAGE);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {PAGE}"))?;
    let text =
        replace(&text, &table(rows)).with_context(|| format!("{PAGE} has lost its markers"))?;
    fs::write(&path, text).with_context(|| format!("cannot write {PAGE}"))?;
    step::announce(&format!("{PAGE} has the new table"));
    Ok(())
}

/// The text with a table between the markers.
fn replace(text: &str, table: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{table}{END}{after}"))
}

fn table(rows: &[Row]) -> String {
    let mut text = String::from("| language |");
    for (handler, _) in HANDLERS {
        let _ = write!(text, " {handler} |");
    }
    text += " first start | an edit is live | memory | messages a second | CPU time a message |\n";
    text += "|---|";
    text += &"---|".repeat(HANDLERS.len() + 5);
    text.push('\n');
    for row in rows {
        let _ = write!(text, "| {} |", row.language.title());
        for bytes in &row.bytes {
            let _ = write!(text, " {} |", size_of(*bytes));
        }
        let _ = writeln!(
            text,
            " {:.2} s | {:.1} s, at most {:.1} s | {} | {:.0} | {:.1} µs |",
            row.compile.as_secs_f64(),
            row.edit.0.as_secs_f64(),
            row.edit.1.as_secs_f64(),
            size_of(row.instance_bytes),
            row.messages_per_s,
            row.cpu_us_per_message
        );
    }
    text
}

fn size_of(bytes: u64) -> String {
    let kib = bytes as f64 / 1024.0;
    match kib {
        1024.0.. => format!("{:.1} MiB", kib / 1024.0),
        _ => format!("{kib:.1} KiB"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_markers_is_replaced() {
        let text = format!("a\n{BEGIN}old\n{END}\nb\n");
        let expected = format!("a\n{BEGIN}new\n{END}\nb\n");
        assert_eq!(replace(&text, "new\n"), Some(expected));
        assert_eq!(replace("a\nb\n", "new\n"), None);
    }

    #[test]
    fn sizes_are_told_with_their_unit() {
        assert_eq!(size_of(2142), "2.1 KiB");
        assert_eq!(size_of(18_314_358), "17.5 MiB");
    }
}
