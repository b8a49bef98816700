//! Draws the report.

use super::report::{Latency, Report, Throughput};
use super::text::Time;
use plotters::coord::Shift;
use plotters::prelude::*;
use std::io;
use std::ops::Range;

const SIZE_PIXELS: (u32, u32) = (900, 760);
const FONT: &str = "sans-serif";
const LINE: RGBColor = RGBColor(0, 90, 160);

type Result<T> = std::result::Result<T, DrawingAreaErrorKind<io::Error>>;

/// What is written at an axis, its range, and its labels.
type Axis<'a> = (&'a str, Range<f64>, &'a dyn Fn(&f64) -> String);

/// A curve with its axes.
struct Chart<'a> {
    caption: &'a str,
    x: Axis<'a>,
    y: Axis<'a>,
    points: Vec<(f64, f64)>,
}

impl Report {
    /// An SVG with latency by percentile and throughput over time.
    pub fn to_svg(&self) -> Result<String> {
        let mut svg = String::new();
        {
            let area = SVGBackend::with_string(&mut svg, SIZE_PIXELS).into_drawing_area();
            area.fill(&WHITE)?;
            let area = area.titled(&self.load.to_string(), (FONT, 15))?;
            let (upper, lower) = area.split_vertically(SIZE_PIXELS.1 / 2);
            if let Some(latency) = &self.latency {
                draw_latency(&upper, latency)?;
            }
            draw_throughput(&lower, &self.throughput, self.measured_s)?;
            area.present()?;
        }
        Ok(svg)
    }
}

/// Percentiles by number of nines, so that the tail has as much room as the body, and times by
/// whole decades.
fn draw_latency(area: &DrawingArea<SVGBackend<'_>, Shift>, latency: &Latency) -> Result<()> {
    let nines = |percentile: f64| -(1.0 - percentile / 100.0).log10();
    let most = (latency.count as f64).log10().max(1.0);
    let decade = |us: f64| us.max(0.1).log10();
    let lowest = decade(latency.min_us).floor();
    let highest = decade(latency.max_us).ceil().max(lowest + 1.0);
    let points = latency.distribution.iter();
    let chart = Chart {
        caption: "Latency by percentile",
        x: ("", 0.0..most, &|nines| percentile(*nines)),
        y: ("", lowest..highest, &|decade| {
            Time(10_f64.powf(*decade)).to_string()
        }),
        points: points
            .map(|point| (nines(point.percentile).min(most), decade(point.us)))
            .collect(),
    };
    chart.draw(area)
}

/// `p99.9` for three nines.
fn percentile(nines: f64) -> String {
    let decimals = (nines as usize).saturating_sub(2);
    format!("p{:.decimals$}", 100.0 - 100.0 * 10_f64.powf(-nines))
}

fn draw_throughput(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    throughput: &Throughput,
    measured_s: f64,
) -> Result<()> {
    let interval_s = throughput.interval_s;
    let intervals = (0..).zip(&throughput.replies_per_interval);
    let points: Vec<_> = intervals
        .map(|(interval, replies)| {
            let from = f64::from(interval) * interval_s;
            let length = interval_s.min(measured_s - from);
            (from + length / 2.0, *replies as f64 / length)
        })
        .collect();
    let most = points.iter().map(|(_, rate)| *rate).fold(1.0, f64::max);
    let chart = Chart {
        caption: "Throughput over time",
        x: ("seconds", 0.0..measured_s.max(interval_s), &|s| {
            ((s * 100.0).round() / 100.0).to_string()
        }),
        y: ("messages/s", 0.0..most * 1.1, &|rate| format!("{rate:.0}")),
        points,
    };
    chart.draw(area)
}

impl Chart<'_> {
    fn draw(self, area: &DrawingArea<SVGBackend<'_>, Shift>) -> Result<()> {
        let mut chart = ChartBuilder::on(area)
            .caption(self.caption, (FONT, 18))
            .margin(12)
            .margin_right(40)
            .x_label_area_size(36)
            .y_label_area_size(76)
            .build_cartesian_2d(self.x.1, self.y.1)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .x_desc(self.x.0)
            .y_desc(self.y.0)
            .x_label_formatter(&self.x.2)
            .y_label_formatter(&self.y.2)
            .draw()?;
        chart.draw_series(LineSeries::new(self.points, LINE.stroke_width(2)))?;
        Ok(())
    }
}
