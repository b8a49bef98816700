//! The picture in the documents: CPU time per message, by server.

use crate::documents::main_rows;
use crate::results::Results;
use crate::samples::CPU;
use crate::servers::Server;

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
    let panel = |row: String| {
        let cpu = |it: &str| {
            results
                .row(&row)
                .find(|at| at.server == it)?
                .figures
                .get(CPU)
                .copied()
        };
        let bars = Server::ALL
            .into_iter()
            .filter_map(|(name, it)| Some((it, cpu(name)?)));
        (bars.collect(), row)
    };
    to_svg(main_rows(results).into_iter().map(panel).collect())
}

fn to_svg(panels: Vec<(Vec<(Server, f64)>, String)>) -> String {
    let mut top = 8;
    // Between black and white: the page may be either.
    let text = |x, y, size, anchor: &str, text: &str| {
        let style = format!("font-size=\"{size}\" text-anchor=\"{anchor}\" fill=\"#7d8590\"");
        format!(
            "<text x=\"{x:.0}\" y=\"{}\" {style}>{text}</text>\n",
            y + 11
        )
    };
    let title = "The server's CPU time per message, user and kernel mode (µs, less is better)";
    let mut body = text(8.0, top, 15, "start", title);
    for (bars, title) in panels {
        top += TITLE_HEIGHT;
        body += &text(8.0, top, 14, "start", &title);
        top += TITLE_HEIGHT - LINE_HEIGHT;
        let all = bars.iter().map(|(_, cpu)| *cpu);
        let least = all.clone().fold(f64::INFINITY, f64::min);
        let most = all.fold(0.0, f64::max).min(MAX_RATIO * least);
        for (server, cpu) in bars {
            top += LINE_HEIGHT;
            body += &text(NAMES_WIDTH - 10.0, top, 13, "end", server.name());
            let room = WIDTH - NAMES_WIDTH - FIGURES_WIDTH;
            let width = (room * (cpu / most).min(1.0)).max(1.0);
            let colour = match server {
                server if server.is_native() => "#7d8590",
                server if server.is_peer() => "#c47828",
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The picture of these figures, and the widths of its bars.
    fn draw(bars: &[(Server, f64)]) -> (String, Vec<f64>) {
        let svg = to_svg(vec![(bars.to_vec(), "64 B".to_owned())]);
        let widths = svg
            .lines()
            .filter(|line| line.starts_with("<rect"))
            .map(|line| line.split("width=\"").nth(1).unwrap())
            .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
            .collect();
        (svg, widths)
    }

    #[test]
    fn one_that_is_far_longer_is_cut_and_says_so() {
        let (svg, widths) = draw(&[(Server::NativePlain, 10.0), (Server::Socat, 900.0)]);
        assert!(
            (widths[1] / widths[0] - MAX_RATIO).abs() < 0.05,
            "{widths:?}"
        );
        assert!(svg.contains("≫ 900.0"), "{svg}");
    }

    #[test]
    fn every_server_has_a_bar_as_long_as_its_figure() {
        let (svg, widths) = draw(&[(Server::NativePlain, 10.0), (Server::HostRust, 20.0)]);
        assert_eq!(widths.len(), 2, "{svg}");
        assert!((widths[1] / widths[0] - 2.0).abs() < 0.02, "{widths:?}");
        for text in ["64 B", "native-plain", "host-rust", "10.0", "20.0"] {
            assert!(svg.contains(text), "{text}: {svg}");
        }
    }
}
