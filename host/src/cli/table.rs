//! Tables for people.

use std::time::Duration;

/// An empty line and a table with aligned columns; empty if there is only the head.
pub fn table(rows: &[Vec<String>]) -> String {
    if rows.len() < 2 {
        return String::new();
    }
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let mut table = "\n".to_owned();
    for row in rows {
        let cells = row.iter().enumerate();
        let cells = cells.map(|(column, cell)| format!("{cell:<0$}", width(column)));
        table += cells.collect::<Vec<_>>().join("  ").trim_end();
        table.push('\n');
    }
    table
}

/// A time span in words.
pub fn age(age: Duration) -> String {
    humantime::format_duration(age).to_string()
}
