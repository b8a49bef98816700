//! The picture that README shows: processor time for a message, by server.

use crate::load::{Group, Load};
use crate::place::Place;
use crate::sample::{CPU, Samples};
use crate::servers::Server;
use crate::spread::Spread;
use anyhow::{Context, Result, anyhow};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::fs;
use std::path::Path;

const WIDTH: i32 = 900;
const NAMES_WIDTH: i32 = 170;
const FIGURES_WIDTH: i32 = 90;
const LINE_HEIGHT: i32 = 20;
const BAR_HEIGHT: i32 = 13;
const TITLE_HEIGHT: i32 = 34;

/// How many times as long as the shortest bar the longest is drawn.
const MAX_RATIO: f64 = 5.0;

// Between black and white: the page may be either.
const TEXT: RGBColor = RGBColor(125, 133, 144);
const NATIVE: RGBColor = RGBColor(125, 133, 144);
const HOST: RGBColor = RGBColor(26, 138, 120);
const PEER: RGBColor = RGBColor(196, 120, 40);

/// One row of traffic, and the medians of those measured in it.
struct Panel {
    title: String,
    bars: Vec<(Server, f64)>,
}

/// The loads that stand for all.
pub fn main_loads(loads: &[Load]) -> impl Iterator<Item = &Load> {
    loads
        .iter()
        .filter(|load| load.connections == 50 && load.group != Group::Pipelined)
}

/// Draws what was measured of the main rows.
pub fn draw(loads: &[Load], samples: &Samples, place: &Place, kept: bool) -> Result<()> {
    let panels: Vec<_> = main_loads(loads)
        .map(|load| Panel::of(load, samples))
        .filter(|panel| !panel.bars.is_empty())
        .collect();
    let path = place.results(kept).join("results.svg");
    let svg = to_svg(&panels).map_err(|cause| anyhow!("cannot draw: {cause}"))?;
    write(&path, &svg)
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

impl Panel {
    fn of(load: &Load, samples: &Samples) -> Self {
        let title = load.name();
        let median = |server: Server| {
            let figures = samples.figures(&title, server.name(), CPU);
            Some((
                server,
                Spread::of(figures.map(|(_, figure)| figure))?.median,
            ))
        };
        let bars = Server::ALL.into_iter().filter_map(median).collect();
        Panel { title, bars }
    }

    /// The figure of a bar of full length. One that is far longer than the others is cut, or it alone would be
    /// seen.
    fn scale(&self) -> f64 {
        let figures = self.bars.iter().map(|(_, cpu)| *cpu);
        let most = figures.clone().fold(0.0, f64::max);
        most.min(MAX_RATIO * figures.fold(f64::INFINITY, f64::min))
    }

    fn height(&self) -> i32 {
        TITLE_HEIGHT + LINE_HEIGHT * self.bars.len() as i32
    }
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

fn to_svg(panels: &[Panel]) -> Result<String, Box<dyn std::error::Error>> {
    let height: i32 = panels.iter().map(Panel::height).sum();
    let mut svg = String::new();
    {
        let size = (WIDTH as u32, (height + TITLE_HEIGHT) as u32);
        // Not filled: the page's own background shows.
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let title = "The server's CPU time per message, user and kernel mode (µs, less is better)";
        write_text(&area, title, (8, 8), 19, HPos::Left)?;
        let mut top = TITLE_HEIGHT;
        for panel in panels {
            draw_panel(&area, panel, top)?;
            top += panel.height();
        }
        area.present()?;
    }
    Ok(svg)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn draw_panel(area: &Area<'_>, panel: &Panel, top: i32) -> Drawn {
    write_text(area, &panel.title, (8, top + 10), 18, HPos::Left)?;
    let most = panel.scale();
    let room = f64::from(WIDTH - NAMES_WIDTH - FIGURES_WIDTH);
    for (line, (server, cpu)) in (0..).zip(&panel.bars) {
        let top = top + TITLE_HEIGHT + line * LINE_HEIGHT;
        write_text(
            area,
            server.name(),
            (NAMES_WIDTH - 10, top),
            16,
            HPos::Right,
        )?;
        let end = NAMES_WIDTH + (room * (cpu / most).min(1.0)).max(1.0) as i32;
        let corners = [(NAMES_WIDTH, top), (end, top + BAR_HEIGHT)];
        area.draw(&Rectangle::new(corners, colour(*server).filled()))?;
        let cut = if *cpu > most { "≫ " } else { "" };
        write_text(
            area,
            &format!("{cut}{cpu:.1}"),
            (end + 6, top),
            16,
            HPos::Left,
        )?;
    }
    Ok(())
}

fn write_text(area: &Area<'_>, text: &str, at: (i32, i32), size: i32, side: HPos) -> Drawn {
    let style = ("sans-serif", size)
        .into_text_style(area)
        .color(&TEXT)
        .pos(Pos::new(side, VPos::Top));
    area.draw(&Text::new(text, at, style))?;
    Ok(())
}

fn colour(server: Server) -> RGBColor {
    match server {
        server if server.is_native() => NATIVE,
        server if server.is_peer() => PEER,
        _ => HOST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The picture of these figures, and the widths of its bars.
    fn draw(bars: &[(Server, f64)]) -> (String, Vec<f64>) {
        let (title, bars) = ("64 B".to_owned(), bars.to_vec());
        let svg = to_svg(&[Panel { title, bars }]).unwrap();
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
