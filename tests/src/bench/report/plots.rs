//! The plots, as SVG.

use std::ops::Range;

use anyhow::{Result, anyhow};
use plotters::{coord::ranged1d::IntoSegmentedCoord as _, prelude::*};

use super::number;
use crate::bench::{
    contestants::CONTESTANTS,
    results::{Results, Series, Timeline},
};

/// So many numbers are legible along an axis.
const LABELS: usize = 6;

/// A contestant's colour, the same in all plots and dark enough on white.
fn colour(contestant: &str) -> RGBAColor {
    const COLOURS: [RGBColor; 7] = [
        RGBColor(200, 40, 70),
        RGBColor(230, 130, 20),
        RGBColor(120, 60, 170),
        RGBColor(40, 90, 190),
        RGBColor(40, 140, 70),
        RGBColor(120, 90, 50),
        RGBColor(90, 90, 90),
    ];
    let place = CONTESTANTS.iter().position(|one| one.name() == contestant);
    COLOURS[place.unwrap_or(COLOURS.len()).min(COLOURS.len() - 1)].to_rgba()
}

/// Samples of each contestant on a logarithmic axis; a zero is an open circle at its left end. Nothing where that would
/// say nothing: all the same, or of one contestant alone.
pub(super) fn distributions(block: &[&Series]) -> Result<String> {
    let positive = || block.iter().flat_map(|one| &one.samples).copied().filter(|sample| *sample > 0.0);
    let (low, high) =
        positive().fold((f64::INFINITY, 0.0_f64), |(low, high), one| (low.min(one), high.max(one)));
    if block.len() < 2 || !low.is_finite() || low >= high {
        return Ok(String::new());
    }
    // Contestants from top to bottom, as in the table.
    let lines: Vec<&Series> = block.iter().rev().copied().collect();
    // Powers of ten have numbers on the axis: one at either end at least.
    let (zero, end) = ((low / 1.1).log10().floor(), (high * 1.1).log10().ceil());
    let (zero, end) = (10_f64.powf(zero), 10_f64.powf(end));
    draw(50 + 26 * lines.len() as u32, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(4)
            .x_label_area_size(36)
            .y_label_area_size(130)
            .build_cartesian_2d((zero..end).log_scale(), (0..lines.len() - 1).into_segmented())
            .map_err(told)?;
        let name = |place: &SegmentValue<usize>| match place {
            SegmentValue::CenterOf(place) => {
                lines.get(*place).map_or_else(String::new, |one| one.contestant.clone())
            }
            _ => String::new(),
        };
        let unit = lines[0].unit.as_str();
        let mesh = &mut chart.configure_mesh();
        mesh.disable_y_mesh().y_labels(lines.len()).y_label_formatter(&name);
        mesh.x_labels(LABELS).x_label_formatter(&|value| number(*value)).x_max_light_lines(1).x_desc(unit);
        mesh.draw().map_err(told)?;
        for (place, series) in lines.iter().enumerate() {
            let colour = colour(&series.contestant).mix(0.6);
            let points = series.samples.iter().map(|sample| {
                let style = if *sample > 0.0 { colour.filled() } else { colour.stroke_width(1) };
                Circle::new((sample.max(zero), SegmentValue::CenterOf(place)), 5, style)
            });
            chart.draw_series(points).map_err(told)?;
        }
        Ok(())
    })
}

/// Who answered when, a bar for each host of each contestant.
pub(super) fn ownership(timelines: &[&Timeline]) -> Result<String> {
    let spans = || timelines.iter().flat_map(|one| &one.spans);
    let from = spans().map(|(_, from, _)| *from).fold(f64::INFINITY, f64::min);
    let to = spans().map(|(_, _, to)| *to).fold(f64::NEG_INFINITY, f64::max);
    if from >= to {
        return Ok(String::new());
    }
    let lines: Vec<String> = timelines
        .iter()
        .flat_map(|one| ["pollux", "castor"].map(|host| format!("{}, {host}", one.contestant)))
        .collect();
    draw(50 + 22 * lines.len() as u32, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(4)
            .x_label_area_size(36)
            .y_label_area_size(190)
            .build_cartesian_2d(from..to, (0..lines.len() - 1).into_segmented())
            .map_err(told)?;
        let name = |place: &SegmentValue<usize>| match place {
            SegmentValue::CenterOf(place) => lines.get(*place).cloned().unwrap_or_default(),
            _ => String::new(),
        };
        let mesh = &mut chart.configure_mesh();
        mesh.disable_y_mesh().y_labels(lines.len()).y_label_formatter(&name);
        mesh.x_max_light_lines(1).x_desc("seconds after the fault").draw().map_err(told)?;
        for (number, timeline) in timelines.iter().enumerate() {
            let bars = timeline.spans.iter().map(|(host, from, to)| {
                let place = 2 * number + usize::from(host == "castor");
                let corners = [(*from, SegmentValue::Exact(place)), (*to, SegmentValue::Exact(place + 1))];
                Rectangle::new(corners, colour(&timeline.contestant).mix(0.7).filled())
            });
            chart.draw_series(bars).map_err(told)?;
        }
        Ok(())
    })
}

/// How figures of `scale` grow with the number of addresses.
pub(super) fn growth(results: &Results) -> Result<String> {
    let scale = || results.series.iter().filter(|one| one.scenario == "scale");
    let mut figures: Vec<&str> = scale().map(|one| &*one.figure).collect();
    figures.dedup();
    figures.sort_unstable();
    figures.dedup();
    let mut text = String::new();
    for figure in figures {
        let curves = curves(scale().filter(|one| one.figure == figure));
        if curves.iter().any(|(_, points)| points.len() > 1) {
            text += &format!("<h2>growth with addresses: {figure}</h2>{}", lines(&curves)?);
        }
    }
    Ok(text)
}

type Curve = (String, Vec<(f64, f64)>);

fn curves<'a>(series: impl Iterator<Item = &'a Series>) -> Vec<Curve> {
    let mut curves: Vec<Curve> = Vec::new();
    for one in series {
        let words = one.row.split(' ').rev().nth(1).and_then(|word| word.parse().ok());
        let (Some(addresses), Some(summary)) = (words, one.summary()) else { continue };
        let point = (addresses, summary.median);
        match curves.iter_mut().find(|(name, _)| *name == one.contestant) {
            Some((_, points)) => points.push(point),
            None => curves.push((one.contestant.clone(), vec![point])),
        }
    }
    curves.iter_mut().for_each(|(_, points)| points.sort_by(|a, b| a.0.total_cmp(&b.0)));
    curves
}

fn lines(curves: &[Curve]) -> Result<String> {
    let extent = |of: fn(&(f64, f64)) -> f64| -> Range<f64> {
        let values = || curves.iter().flat_map(|(_, points)| points).map(of).filter(|value| *value > 0.0);
        values().fold(f64::INFINITY, f64::min) / 1.2..values().fold(0.0, f64::max) * 1.2
    };
    draw(320, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(4)
            .x_label_area_size(36)
            .y_label_area_size(60)
            .build_cartesian_2d(extent(|point| point.0).log_scale(), extent(|point| point.1).log_scale())
            .map_err(told)?;
        let mesh = &mut chart.configure_mesh();
        mesh.x_labels(LABELS).y_labels(LABELS).max_light_lines(1).x_desc("addresses");
        mesh.x_label_formatter(&|value| number(*value)).y_label_formatter(&|value| number(*value));
        mesh.draw().map_err(told)?;
        for (name, points) in curves {
            let colour = colour(name);
            chart
                .draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))
                .map_err(told)?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        }
        chart.configure_series_labels().background_style(WHITE.mix(0.8)).draw().map_err(told)
    })
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn draw(height: u32, paint: impl FnOnce(&Area<'_>) -> Result<()>) -> Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (900, height)).into_drawing_area();
        paint(&area)?;
        area.present().map_err(told)?;
    }
    Ok(svg)
}

/// The errors of plotters borrow what they are of.
fn told(error: impl std::error::Error) -> anyhow::Error {
    anyhow!("drawing: {error}")
}
