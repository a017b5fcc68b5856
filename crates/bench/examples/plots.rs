//! Draws what `ichae bench --json` printed: one SVG a subject, into a folder.
//!
//! `cargo run -p ichae-bench --example plots -- bench.json docs/performance`

use plotters::coord::Shift;
use plotters::coord::combinators::IntoLogRange;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use serde::Deserialize;
use std::error::Error;
use std::ops::Range;
use std::path::{Path, PathBuf};

type Done = Result<(), Box<dyn Error>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const FONT: &str = "sans-serif";
const INK: RGBColor = RGBColor(0x33, 0x33, 0x33);
const GRID: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);
const BLUE: RGBColor = RGBColor(0x1f, 0x6f, 0xb4);
const ORANGE: RGBColor = RGBColor(0xd9, 0x5f, 0x0e);
const GREY: RGBColor = RGBColor(0xb8, 0xb8, 0xb8);
const RED: RGBColor = RGBColor(0xc0, 0x1f, 0x2f);
const WIDTH: u32 = 760;
const HEIGHT: u32 = 420;

#[derive(Deserialize)]
struct Report {
    rows: Vec<Row>,
    points: Vec<Point>,
}

#[derive(Deserialize)]
struct Row {
    what: String,
    value: f64,
    unit: String,
    yardstick: Option<(String, f64)>,
    ratio: Option<f64>,
    bar: serde_json::Value,
}

#[derive(Deserialize)]
struct Point {
    curve: String,
    x: f64,
    y: f64,
}

/// One curve and how it is drawn.
struct Line<'a> {
    points: &'a [(f64, f64)],
    label: &'a str,
    color: RGBColor,
}

/// What stands around the curves.
struct Frame<'a> {
    title: &'a str,
    x: &'a str,
    log_x: bool,
}

impl Report {
    fn curve(&self, name: &str) -> Vec<(f64, f64)> {
        self.points.iter().filter(|p| p.curve == name).map(|p| (p.x, p.y)).collect()
    }
}

fn main() -> Done {
    let args: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [file, folder] = args.as_slice() else {
        return Err("give the JSON of a bench and the folder for the pictures".into());
    };
    let report: Report = serde_json::from_slice(&std::fs::read(file)?)?;
    std::fs::create_dir_all(folder)?;
    curves(&report, folder)?;
    ratios(&report.rows, &folder.join("ratios.svg"))
}

/// A curve that was not measured has no picture.
fn curves(report: &Report, folder: &Path) -> Done {
    let rate = |points, color| Line { points, label: "requests a second", color };
    let stored = report.curve("rate by stored payouts");
    let memory = report.curve("memory MB by stored payouts");
    let partners = report.curve("rate by partners");
    let connections = report.curve("rate by connections");
    let late = report.curve("p99 ms by connections");
    let batch = report.curve("store rows by batch");
    let title = "Durable requests by stored payouts, and resident memory";
    let frame = Frame { title, x: "stored payouts, millions", log_x: false };
    let millions = |points: &[(f64, f64)]| -> Vec<(f64, f64)> {
        points.iter().map(|(x, y)| (x / 1e6, *y)).collect()
    };
    let (stored, memory) = (millions(&stored), millions(&memory));
    let second = Line { points: &memory, label: "resident memory, MB", color: ORANGE };
    draw(&folder.join("rows.svg"), &frame, &rate(&stored, BLUE), Some(&second))?;
    let title = "Durable requests by partners, 256 connections";
    let frame = Frame { title, x: "partners (log)", log_x: true };
    draw(&folder.join("partners.svg"), &frame, &rate(&partners, BLUE), None)?;
    let title = "Durable requests by connections, and their p99";
    let frame = Frame { title, x: "connections (log)", log_x: true };
    let second = Line { points: &late, label: "p99, ms", color: ORANGE };
    draw(&folder.join("connections.svg"), &frame, &rate(&connections, BLUE), Some(&second))?;
    let title = "The store alone: rows by batch size, one sync a batch";
    let frame = Frame { title, x: "rows in one batch (log)", log_x: true };
    let line = Line { points: &batch, label: "rows a second", color: BLUE };
    draw(&folder.join("batch.svg"), &frame, &line, None)
}

fn draw(file: &Path, frame: &Frame<'_>, first: &Line<'_>, second: Option<&Line<'_>>) -> Done {
    if first.points.is_empty() {
        return Ok(());
    }
    let area = SVGBackend::new(file, (WIDTH, HEIGHT)).into_drawing_area();
    area.fill(&WHITE)?;
    let second = second.filter(|line| !line.points.is_empty());
    let area = area.titled(frame.title, (FONT, 18).into_font().color(&INK))?;
    let xs = first.points.iter().map(|point| point.0);
    let (low, high) = xs.fold((f64::MAX, f64::MIN), |(l, h), x| (l.min(x), h.max(x)));
    if frame.log_x {
        // A little air, and room for a single point.
        let range = (low / 1.15)..(high * 1.15).max(low * 2.0);
        let ticks: Vec<f64> = first.points.iter().map(|point| point.0).collect();
        let axis = || range.clone().log_scale().with_key_points(ticks.clone());
        chart(&area, frame, axis, first, second)?;
    } else {
        let air = (high - low).max(1.0) * 0.02;
        chart(&area, frame, || (low - air).max(0.0)..high + air, first, second)?;
    }
    area.present()?;
    Ok(())
}

fn chart<X>(
    area: &Area<'_>,
    frame: &Frame<'_>,
    axis: impl Fn() -> X,
    first: &Line<'_>,
    second: Option<&Line<'_>>,
) -> Done
where
    X: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
{
    let right = if second.is_some() { 70 } else { 20 };
    let mut builder = ChartBuilder::on(area);
    builder.margin(10).set_label_area_size(LabelAreaPosition::Left, 80);
    builder.set_label_area_size(LabelAreaPosition::Bottom, 50);
    builder.set_label_area_size(LabelAreaPosition::Right, right);
    let chart = builder.build_cartesian_2d(axis(), height(first))?;
    let other = second.map_or(0.0..1.0, height);
    let mut chart = chart.set_secondary_coord(axis(), other);
    let label = (FONT, 13).into_font().color(&INK);
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(label.clone())
        .axis_desc_style(label.clone())
        .x_desc(frame.x)
        .y_desc(first.label)
        .x_label_formatter(&|x| number(*x))
        .y_label_formatter(&|y| number(*y))
        .y_labels(6)
        .draw()?;
    if let Some(second) = second {
        chart
            .configure_secondary_axes()
            .axis_style(INK)
            .label_style(label.clone())
            .axis_desc_style(label.clone())
            .y_desc(second.label)
            .y_label_formatter(&|y: &f64| number(*y))
            .y_labels(6)
            .draw()?;
    }
    let dots = |line: &Line<'_>| -> Vec<_> {
        let style = line.color.filled();
        line.points.iter().map(|at| Circle::new(*at, 4, style)).collect()
    };
    let stroke = |color: RGBColor| color.stroke_width(2);
    let legend = move |color| {
        move |(x, y): (i32, i32)| PathElement::new([(x, y), (x + 18, y)], stroke(color))
    };
    chart
        .draw_series(LineSeries::new(first.points.iter().copied(), stroke(first.color)))?
        .label(first.label)
        .legend(legend(first.color));
    chart.draw_series(dots(first))?;
    let Some(second) = second else { return Ok(()) };
    chart
        .draw_secondary_series(LineSeries::new(
            second.points.iter().copied(),
            stroke(second.color),
        ))?
        .label(second.label)
        .legend(legend(second.color));
    chart.draw_secondary_series(dots(second))?;
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE)
        .border_style(GRID)
        .label_font(label)
        .draw()?;
    Ok(())
}

/// From zero to a little above the highest point, so that a flat curve looks flat.
fn height(line: &Line<'_>) -> Range<f64> {
    let top = line.points.iter().map(|point| point.1).fold(0.0, f64::max);
    0.0..if top > 0.0 { top * 1.12 } else { 1.0 }
}

/// Every row with a ratio: what was measured above what it is measured against.
fn ratios(rows: &[Row], file: &Path) -> Done {
    const LINE: i32 = 54;
    const TOP: i32 = 64;
    const LEFT: i32 = 300;
    const LONGEST: f64 = 330.0;
    let rows: Vec<(&Row, &(String, f64), f64)> =
        rows.iter().filter_map(|row| Some((row, row.yardstick.as_ref()?, row.ratio?))).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let high = TOP + LINE * i32::try_from(rows.len())? + 10;
    let area = SVGBackend::new(file, (WIDTH + 120, u32::try_from(high)?)).into_drawing_area();
    area.fill(&WHITE)?;
    let text = |size: i32, color: RGBColor, at: HPos| {
        (FONT, size).into_font().color(&color).pos(Pos::new(at, VPos::Center))
    };
    area.draw_text(
        "Measured (colour) against its yardstick (grey), per second",
        &text(18, INK, HPos::Left),
        (20, 24),
    )?;
    let hint =
        "each pair to its own scale; right: ratio of the pair, and the bar that it has to reach";
    area.draw_text(hint, &text(12, INK, HPos::Left), (20, 46))?;
    for (at, (row, (yard, against), ratio)) in rows.iter().enumerate() {
        let y = TOP + LINE * i32::try_from(at)? + 16;
        let longest = row.value.max(*against).max(f64::MIN_POSITIVE);
        let bar = row.bar.get("ratio").and_then(serde_json::Value::as_f64);
        let met = bar.is_none_or(|bar| *ratio >= bar);
        let color = if met { BLUE } else { RED };
        let pair = [(&row.what, row.value, y, color), (yard, *against, y + 19, GREY)];
        for (name, value, y, color) in pair {
            let end = LEFT + (value / longest * LONGEST) as i32;
            area.draw(&Rectangle::new([(LEFT, y - 7), (end, y + 8)], color.filled()))?;
            area.draw_text(name, &text(13, INK, HPos::Right), (LEFT - 8, y))?;
            let amount = format!("{} {}", number(value.round()), row.unit);
            area.draw_text(&amount, &text(12, INK, HPos::Left), (end + 6, y))?;
        }
        let wanted = bar.map(|bar| format!(" (>= {bar:.2})")).unwrap_or_default();
        let ratio = format!("{ratio:.2}{wanted}");
        let place = (i32::try_from(WIDTH)? + 110, y + 9);
        area.draw_text(&ratio, &text(14, color, HPos::Right), place)?;
    }
    area.present()?;
    Ok(())
}

/// 12,500 as people read it; below ten with a decimal where there is one.
fn number(value: f64) -> String {
    if value.abs() < 10.0 && value.fract() != 0.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("-{text}") } else { text }
}
