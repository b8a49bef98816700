//! The report as a picture.

use super::report::{Latency, Report, Throughput};
use super::text::Time;
use plotters::prelude::*;
use std::fmt::Display;

const SIZE_PIXELS: (u32, u32) = (900, 760);
const FONT: &str = "sans-serif";
const LINE: RGBColor = RGBColor(0, 90, 160);

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
#[error("cannot draw the plot: {0}")]
pub struct PlotError(String);

impl PlotError {
    fn new(error: impl Display) -> Self {
        PlotError(error.to_string())
    }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

impl Report {
    /// As an SVG: latency by percentile, and throughput over time.
    pub fn to_svg(&self) -> Result<String, PlotError> {
        let mut svg = String::new();
        {
            let area = SVGBackend::with_string(&mut svg, SIZE_PIXELS).into_drawing_area();
            area.fill(&WHITE).map_err(PlotError::new)?;
            let area = area
                .titled(&self.load.to_string(), (FONT, 15))
                .map_err(PlotError::new)?;
            let (upper, lower) = area.split_vertically(SIZE_PIXELS.1 / 2);
            if let Some(latency) = &self.latency {
                draw_latency(&upper, latency)?;
            }
            draw_throughput(&lower, &self.throughput, self.measured_s)?;
            area.present().map_err(PlotError::new)?;
        }
        Ok(svg)
    }
}

/// Percentiles as the number of their nines, so that the tail has as much room as the body.
fn draw_latency(area: &Area<'_>, latency: &Latency) -> Result<(), PlotError> {
    let nines = |percentile: f64| -(1.0 - percentile / 100.0).log10();
    let most = (latency.count as f64).log10().max(1.0);
    let points = latency
        .distribution
        .iter()
        .map(|point| (nines(point.percentile).min(most), point.us));
    // Whole decades: each has a label.
    let decade = |us: f64| us.max(0.1).log10();
    let lowest = 10_f64.powf(decade(latency.min_us).floor());
    let highest = 10_f64.powf(decade(latency.max_us).ceil());
    let times = (lowest..highest.max(lowest * 10.0)).log_scale();
    let mut chart = ChartBuilder::on(area)
        .caption("Latency by percentile", (FONT, 18))
        .margin(12)
        .margin_right(40)
        .x_label_area_size(36)
        .y_label_area_size(76)
        .build_cartesian_2d(0.0..most, times)
        .map_err(PlotError::new)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_labels(most as usize + 1)
        .x_label_formatter(&|nines| percentile(*nines))
        .y_label_formatter(&|us| Time(*us).to_string())
        .draw()
        .map_err(PlotError::new)?;
    chart
        .draw_series(LineSeries::new(points, LINE.stroke_width(2)))
        .map_err(PlotError::new)?;
    Ok(())
}

/// `p99.9` for three nines.
fn percentile(nines: f64) -> String {
    let decimals = (nines as usize).saturating_sub(2);
    format!("p{:.decimals$}", 100.0 - 100.0 * 10_f64.powf(-nines))
}

fn draw_throughput(
    area: &Area<'_>,
    throughput: &Throughput,
    measured_s: f64,
) -> Result<(), PlotError> {
    let interval_s = throughput.interval_s;
    let points: Vec<_> = (0..)
        .zip(&throughput.replies_per_interval)
        .map(|(interval, replies)| {
            let from = f64::from(interval) * interval_s;
            let length = interval_s.min(measured_s - from);
            (from + length / 2.0, *replies as f64 / length)
        })
        .collect();
    let most = points.iter().map(|(_, rate)| *rate).fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption("Throughput over time", (FONT, 18))
        .margin(12)
        .margin_right(40)
        .x_label_area_size(36)
        .y_label_area_size(76)
        .build_cartesian_2d(0.0..measured_s.max(interval_s), 0.0..most * 1.1)
        .map_err(PlotError::new)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc("seconds")
        .y_desc("messages/s")
        .y_label_formatter(&|rate| format!("{rate:.0}"))
        .draw()
        .map_err(PlotError::new)?;
    chart
        .draw_series(LineSeries::new(points, LINE.stroke_width(2)))
        .map_err(PlotError::new)?;
    Ok(())
}
