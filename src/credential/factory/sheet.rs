//! Labels on sheets of A4, ready to print: text, QR codes, cut marks. One SVG for each sheet.
//!
//! ```text
//!  batch
//!  sheet    (this file)
//!  label · qr
//! ```

use std::fmt::Write;
use std::string::String;

use zeroize::Zeroizing;

use super::issue::IssueError;
use super::label::{Label, NOT_FOR_SALE};
use super::profile::Sheet;
use super::qr::Modules;

/// A4, and a margin that printers leave white, in tenths of a millimetre.
const WIDTH: u32 = 2100;
const HEIGHT: u32 = 2970;
const MARGIN: u32 = 100;
/// The light modules around a QR code.
const QUIET: usize = 4;

/// Draws a sheet. The labels stand in rows, from the top left.
pub(super) fn draw(labels: &[Label], sheet: Sheet, number: u64) -> Result<Zeroizing<String>, IssueError> {
    let mut svg = Zeroizing::new(String::with_capacity(4096 + 6000 * labels.len()));
    let (width, height) = (
        (WIDTH - 2 * MARGIN) / sheet.columns,
        (HEIGHT - 2 * MARGIN) / sheet.rows,
    );
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"210mm\" height=\"297mm\" viewBox=\"0 0 {WIDTH} {HEIGHT}\">\n\
         <title>Labels, sheet {number}</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n"
    );
    cut_marks(&mut svg, sheet, width, height);
    for (place, label) in (0..).zip(labels) {
        let (x, y) = (
            MARGIN + place % sheet.columns * width,
            MARGIN + place / sheet.columns * height,
        );
        let _ = writeln!(svg, "<g transform=\"translate({x} {y})\">");
        draw_label(&mut svg, label, width, height)?;
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

/// Short lines in the margins, where the knife goes.
fn cut_marks(svg: &mut String, sheet: Sheet, width: u32, height: u32) {
    svg.push_str("<path stroke=\"#000\" stroke-width=\"2\" d=\"");
    let (right, bottom) = (MARGIN + sheet.columns * width, MARGIN + sheet.rows * height);
    for column in 0..=sheet.columns {
        let x = MARGIN + column * width;
        let _ = write!(svg, "M{x} {}v50M{x} {}v50", MARGIN - 60, bottom + 10);
    }
    for row in 0..=sheet.rows {
        let y = MARGIN + row * height;
        let _ = write!(svg, "M{} {y}h50M{} {y}h50", MARGIN - 60, right + 10);
    }
    svg.push_str("\"/>\n");
}

fn draw_label(svg: &mut String, label: &Label, width: u32, height: u32) -> Result<(), IssueError> {
    let codes = label.fields.iter().filter(|field| field.is_qr).take(2);
    let mut x = 20;
    // A code takes the height of the label, and less than half its width.
    let side = height.saturating_sub(40).min(width * 2 / 5);
    let mut drawn = 0;
    for field in codes {
        let modules = Modules::of(&field.text).ok_or(IssueError::Row("a text is too long for a QR code"))?;
        let cells = u32::try_from(modules.size() + 2 * QUIET).unwrap_or(u32::MAX);
        // Two codes share what one would have.
        let side = if label.fields.iter().filter(|field| field.is_qr).count() > 1 {
            side * 3 / 4
        } else {
            side
        };
        let _ = write!(
            svg,
            "<svg x=\"{x}\" y=\"20\" width=\"{side}\" height=\"{side}\" viewBox=\"-{QUIET} -{QUIET} {cells} {cells}\" \
             shape-rendering=\"crispEdges\"><path d=\""
        );
        modules.write_path(svg);
        svg.push_str("\"/></svg>\n");
        x += side + 10;
        drawn += 1;
    }
    let x = if drawn == 0 { 20 } else { x };
    let room = width.saturating_sub(x + 10);
    let mut y = 45;
    let mut text = |svg: &mut String, size: u32, style: &str, words: &[&str]| {
        let letters: usize = words.iter().map(|word| word.chars().count()).sum();
        // A letter of a common sans-serif is some 0.6 of its size wide.
        let fits = room * 10 / (6 * u32::try_from(letters).unwrap_or(u32::MAX).max(1));
        let fitting = size.min(fits.max(9));
        let _ = write!(svg, "<text x=\"{x}\" y=\"{y}\" font-size=\"{fitting}\" {style}>");
        for word in words {
            escape(word, svg);
        }
        svg.push_str("</text>\n");
        y += fitting + 8;
    };
    let sans = "font-family=\"sans-serif\"";
    let mono = "font-family=\"monospace\" font-weight=\"bold\"";
    if label.for_tests {
        text(
            svg,
            32,
            "font-family=\"sans-serif\" font-weight=\"bold\" fill=\"#c00\"",
            &[NOT_FOR_SALE],
        );
    }
    text(svg, 30, sans, &[&label.product]);
    text(svg, 24, sans, &["S/N ", &label.serial]);
    for field in label.fields.iter().filter(|field| !field.is_qr) {
        text(svg, 20, sans, &[field.caption]);
        text(svg, 32, mono, &[&field.text]);
    }
    Ok(())
}

fn escape(text: &str, svg: &mut String) {
    for symbol in text.chars() {
        match symbol {
            '<' => svg.push_str("&lt;"),
            '>' => svg.push_str("&gt;"),
            '&' => svg.push_str("&amp;"),
            '"' => svg.push_str("&quot;"),
            _ => svg.push(symbol),
        }
    }
}
