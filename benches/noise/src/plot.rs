//! Errors over devices, one panel for each treatment, both axes in powers of ten.

use std::fmt::Write as _;

use crate::Series;

const PANEL: f64 = 300.0;
const MARGIN: f64 = 56.0;
const TOP: f64 = 84.0;

pub fn draw(all: &[Series]) -> String {
    let (width, height) = (
        2.0 * (PANEL + 2.0 * MARGIN),
        TOP + (all.len() as f64 / 2.0).ceil() * (PANEL + 100.0),
    );
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"{MARGIN}\" y=\"26\" font-size=\"16\">Error of the estimates, epsilon 1</text>\n\
         <text x=\"{MARGIN}\" y=\"48\"><tspan fill=\"#555555\">line: theory</tspan>   <tspan fill=\"#1b6ca8\">dots: measured</tspan>   \
         <tspan fill=\"#b8860b\">rings: the same in floating point</tspan></text>\n"
    );
    for (number, series) in all.iter().enumerate() {
        let left = MARGIN + (number % 2) as f64 * (PANEL + 2.0 * MARGIN);
        let top = TOP + (number / 2) as f64 * (PANEL + 100.0);
        panel(&mut svg, series, left, top);
    }
    svg.push_str("</svg>\n");
    svg
}

fn panel(svg: &mut String, series: &Series, left: f64, top: f64) {
    let errors = series
        .points
        .iter()
        .flat_map(|point| [point.theory, point.ours, point.reference]);
    let (least, most) = errors.fold((f64::MAX, 0.0_f64), |(least, most), error| {
        (least.min(error), most.max(error))
    });
    let (low, high) = (least.log10().floor(), most.log10().ceil());
    let x = |devices: u32| left + (f64::from(devices).log10() - 3.0) / 3.0 * PANEL;
    let y = |error: f64| top + PANEL - (error.log10() - low) / (high - low) * PANEL;
    let _ = writeln!(
        svg,
        "<text x=\"{left}\" y=\"{}\" font-weight=\"bold\">{}</text>",
        top - 10.0,
        series.name
    );
    for power in 3..=6 {
        let at = x(10_u32.pow(power));
        let _ = writeln!(
            svg,
            "<line x1=\"{at:.1}\" y1=\"{top}\" x2=\"{at:.1}\" y2=\"{}\" stroke=\"#dddddd\"/>\
             <text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\" font-size=\"11\">10{}</text>",
            top + PANEL,
            top + PANEL + 18.0,
            raised(power as i32)
        );
    }
    for power in low as i32..=high as i32 {
        let at = y(10_f64.powi(power));
        let _ = writeln!(
            svg,
            "<line x1=\"{left}\" y1=\"{at:.1}\" x2=\"{}\" y2=\"{at:.1}\" stroke=\"#dddddd\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" font-size=\"11\">10{}</text>",
            left + PANEL,
            left - 6.0,
            at + 4.0,
            raised(power)
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" font-size=\"11\">devices; root mean square error in {}</text>",
        left + PANEL / 2.0,
        top + PANEL + 36.0,
        series.unit
    );
    let line: Vec<String> = series
        .points
        .iter()
        .map(|point| format!("{:.1},{:.1}", x(point.devices), y(point.theory)))
        .collect();
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"#555555\" stroke-width=\"1.5\"/>",
        line.join(" ")
    );
    for point in &series.points {
        let at = x(point.devices);
        let _ = writeln!(
            svg,
            "<circle cx=\"{at:.1}\" cy=\"{:.1}\" r=\"7\" fill=\"none\" stroke=\"#b8860b\" stroke-width=\"1.5\"/>\
             <circle cx=\"{at:.1}\" cy=\"{:.1}\" r=\"3.5\" fill=\"#1b6ca8\"/>",
            y(point.reference),
            y(point.ours)
        );
    }
}

/// A power as raised digits.
fn raised(power: i32) -> String {
    power
        .to_string()
        .chars()
        .map(|digit| match digit {
            '-' => '⁻',
            '0' => '⁰',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            '4' => '⁴',
            '5' => '⁵',
            '6' => '⁶',
            other => other,
        })
        .collect()
}
