//! Bars: what an update of each store takes, over the limit.

use std::fmt::Write as _;

use crate::Row;

const WIDTH: f64 = 900.0;
const LABELS: f64 = 280.0;
const BAR: f64 = 16.0;
const LONGEST: f64 = 4.0;

/// Of 256 KiB and the first work: modelled time, erases and bytes of each store, as multiples of the limit's.
pub fn draw(rows: &[Row]) -> String {
    let shown: Vec<&Row> = rows
        .iter()
        .filter(|row| (row.capacity, row.work) == (rows[0].capacity, rows[0].work))
        .collect();
    let limit = shown[0];
    let height = 60.0 + shown.len() as f64 * (3.0 * BAR + 14.0);
    let scale = (WIDTH - LABELS - 70.0) / LONGEST;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"12\" y=\"22\" font-size=\"15\">An update, 256 KiB, {}: multiples of the limit</text>\n\
         <text x=\"{LABELS}\" y=\"42\"><tspan fill=\"#1b6ca8\">modelled time</tspan>  <tspan fill=\"#7a9e3b\">erases</tspan>  <tspan fill=\"#b8860b\">bytes programmed</tspan></text>\n",
        limit.work
    );
    let mut y = 60.0;
    for row in shown.iter().skip(1) {
        let plain = if row.sealed { "" } else { " (plain)" };
        let name = format!("{}{plain}", row.store);
        let _ = writeln!(svg, "<text x=\"12\" y=\"{}\">{name}</text>", y + 2.0 * BAR - 4.0);
        if let Some(reason) = &row.stopped {
            let reason: String = reason.chars().filter(|symbol| !"<>&".contains(*symbol)).collect();
            let _ = writeln!(
                svg,
                "<text x=\"{LABELS}\" y=\"{}\" fill=\"#888\">stopped: {reason}</text>",
                y + 2.0 * BAR - 4.0
            );
        } else {
            let bars = [
                (row.millis / limit.millis, "#1b6ca8"),
                (row.erases_per_thousand / limit.erases_per_thousand, "#7a9e3b"),
                (row.bytes / limit.bytes, "#b8860b"),
            ];
            for (number, (times, colour)) in bars.into_iter().enumerate() {
                let top = y + number as f64 * BAR;
                let width = times.min(LONGEST) * scale;
                let more = if times > LONGEST { " →" } else { "" };
                let _ = writeln!(
                    svg,
                    "<rect x=\"{LABELS}\" y=\"{top}\" width=\"{width:.1}\" height=\"{}\" fill=\"{colour}\"/>\
                     <text x=\"{:.1}\" y=\"{}\" font-size=\"11\">{times:.2}{more}</text>",
                    BAR - 3.0,
                    LABELS + width + 5.0,
                    top + BAR - 5.0
                );
            }
        }
        y += 3.0 * BAR + 14.0;
    }
    let one = LABELS + scale;
    let _ = writeln!(
        svg,
        "<line x1=\"{one}\" y1=\"50\" x2=\"{one}\" y2=\"{height}\" stroke=\"#444\" stroke-dasharray=\"4 3\"/>"
    );
    svg.push_str("</svg>\n");
    svg
}
