//! The picture in the documents: CPU time per message, by server.

use crate::documents::main_rows;
use crate::results::{CPU, Results};
use crate::servers::{SERVERS, is_native, is_peer};

const WIDTH: f64 = 900.0;
const NAMES_WIDTH: f64 = 170.0;
const FIGURES_WIDTH: f64 = 90.0;
const LINE_HEIGHT: usize = 20;
const TITLE_HEIGHT: usize = 34;

/// How many times as long as the shortest bar the longest is drawn. One that is far longer than the
/// others is cut, or it alone would be seen.
const MAX_RATIO: f64 = 5.0;

/// Draws the main rows of the results.
pub fn draw(results: &Results) -> String {
    let mut top = 8;
    let title = "The server's CPU time per message, user and kernel mode (µs, less is better)";
    let mut body = text(8.0, top, 15, "start", title);
    for row in main_rows(results) {
        top += TITLE_HEIGHT;
        body += &text(8.0, top, 14, "start", &row);
        top += TITLE_HEIGHT - LINE_HEIGHT;
        let cpu = |name: &str| {
            let mut rows = results.rows.iter();
            let it = rows.find(|it| it.row == row && it.server == name)?;
            it.figures.get(CPU).copied()
        };
        let names = SERVERS.iter().map(|it| it.name);
        let bars: Vec<_> = names.filter_map(|name| Some((name, cpu(name)?))).collect();
        let all = bars.iter().map(|(_, cpu)| *cpu);
        let least = all.clone().fold(f64::INFINITY, f64::min);
        let most = all.fold(0.0, f64::max).min(MAX_RATIO * least);
        for (name, cpu) in bars {
            top += LINE_HEIGHT;
            body += &text(NAMES_WIDTH - 10.0, top, 13, "end", name);
            let room = WIDTH - NAMES_WIDTH - FIGURES_WIDTH;
            let width = (room * (cpu / most).min(1.0)).max(1.0);
            let colour = match name {
                name if is_native(name) => "#7d8590",
                name if is_peer(name) => "#c47828",
                _ => "#1a8a78",
            };
            let bar = format!("x=\"{NAMES_WIDTH}\" y=\"{top}\" width=\"{width:.0}\" height=\"13\"");
            body += &format!("<rect {bar} fill=\"{colour}\"/>\n");
            let cut = if cpu > most { "≫ " } else { "" };
            let figure = format!("{cut}{cpu:.1}");
            body += &text(NAMES_WIDTH + width + 6.0, top, 13, "start", &figure);
        }
    }
    let size = format!("width=\"{WIDTH}\" height=\"{}\"", top + TITLE_HEIGHT);
    let svg = "xmlns=\"http://www.w3.org/2000/svg\" font-family=\"sans-serif\"";
    format!("<svg {svg} {size}>\n{body}</svg>\n")
}

fn text(x: f64, y: usize, size: u32, anchor: &str, text: &str) -> String {
    // Between black and white: the page may be either.
    let style = format!("font-size=\"{size}\" text-anchor=\"{anchor}\" fill=\"#7d8590\"");
    format!(
        "<text x=\"{x:.0}\" y=\"{}\" {style}>{text}</text>\n",
        y + 11
    )
}
