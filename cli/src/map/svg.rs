//! The picture: a strip for each page, its number of erases beside it, and a legend with bytes.
//!
//! ```text
//!  map
//!  svg      (this file)
//!  area · in_words
//! ```
//!
//! Whole numbers and one font: the same image gives the same bytes wherever it is drawn.

use std::fmt::{self, Write};

use bydesign::store::inspect::{Page, Piece, What};

use super::Map;
use crate::area::Area;
use crate::in_words;

pub(super) fn draw(map: &Map) -> String {
    let mut svg = String::new();
    // A String takes everything.
    let _ = write(map, &mut svg);
    svg
}

fn write(map: &Map, out: &mut String) -> fmt::Result {
    let totals = map.totals();
    let rows = u32::from(map.layout.pages);
    let legend_at = TOP + rows * ROW + GAP;
    let areas = u32::try_from(totals.iter().count()).unwrap_or(0);
    let height = legend_at + (areas + 1) * LEGEND_ROW + GAP;
    writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" font-family="monospace" font-size="11">"#
    )?;
    writeln!(out, r#"<rect width="{WIDTH}" height="{height}" fill="white"/>"#)?;
    let with = if map.is_opened {
        ""
    } else {
        ", without the root key"
    };
    writeln!(
        out,
        r#"<text x="{MARGIN}" y="20" font-size="14">{}{with}</text>"#,
        in_words::layout(map.layout)
    )?;
    writeln!(out, r#"<text x="{WEAR_AT}" y="20">erases</text>"#)?;
    let most = map.pages.iter().filter_map(|page| page.erases).max().unwrap_or(0);
    for (row, page) in (0..).zip(&map.pages) {
        write_page(map, page, TOP + row * ROW, most, out)?;
    }
    write_legend(map, legend_at, out)?;
    writeln!(out, "</svg>")
}

fn write_page(map: &Map, page: &Page, top: u32, most: u32, out: &mut String) -> fmt::Result {
    let text = top + STRIP - 4;
    let role = in_words::role(page.role, page.number, page.generation);
    writeln!(
        out,
        r#"<text x="{MARGIN}" y="{text}" xml:space="preserve">{:>4} {role}</text>"#,
        page.number
    )?;
    for piece in &page.pieces {
        write_piece(map, page, piece, top, out)?;
    }
    writeln!(
        out,
        r#"<rect x="{STRIP_AT}" y="{top}" width="{STRIP_WIDTH}" height="{STRIP}" fill="none" stroke="black" stroke-width="0.5"/>"#
    )?;
    match page.erases {
        Some(erases) => {
            let bar = u64::from(erases) * u64::from(WEAR_WIDTH) / u64::from(most.max(1));
            writeln!(
                out,
                r##"<rect x="{WEAR_AT}" y="{top}" width="{bar}" height="{STRIP}" fill="#dddddd"/><text x="{}" y="{text}">{erases}</text>"##,
                WEAR_AT + 2
            )
        }
        None => writeln!(out, r#"<text x="{}" y="{text}">no mark</text>"#, WEAR_AT + 2),
    }
}

fn write_piece(map: &Map, page: &Page, piece: &Piece, top: u32, out: &mut String) -> fmt::Result {
    let area = Area::of(piece.what);
    let (from, to) = (x(map, page, piece.from), x(map, page, piece.to));
    // Records of one kind beside each other are told apart by a thin gap.
    let gap = if matches!(piece.what, What::Record { .. }) && to - from > WIDE {
        40
    } else {
        0
    };
    let width = to - from - gap;
    let kind = match piece.what {
        What::Record { kind, .. } => format!("{kind}, "),
        _ => String::new(),
    };
    writeln!(
        out,
        r#"<rect x="{}.{:02}" y="{top}" width="{}.{:02}" height="{STRIP}" fill="{}"><title>{kind}{}, {:06x} to {:06x}</title></rect>"#,
        from / 100,
        from % 100,
        width / 100,
        width % 100,
        area.colour(),
        area.short(),
        piece.from,
        piece.to
    )
}

/// Where a byte of a page is drawn, in hundredths.
fn x(map: &Map, page: &Page, address: u32) -> u64 {
    let offset = u64::from(address.saturating_sub(page.address));
    let size = u64::from(map.layout.page_size.max(1));
    u64::from(STRIP_AT) * 100 + offset * u64::from(STRIP_WIDTH) * 100 / size
}

fn write_legend(map: &Map, top: u32, out: &mut String) -> fmt::Result {
    let mut at = top;
    for (area, bytes) in map.totals().iter() {
        let text = at + LEGEND_ROW - 6;
        writeln!(
            out,
            r#"<rect x="{MARGIN}" y="{at}" width="20" height="{}" fill="{}" stroke="black" stroke-width="0.5"/><text x="{}" y="{text}" xml:space="preserve">{bytes:>9} bytes  {}</text>"#,
            LEGEND_ROW - 4,
            area.colour(),
            MARGIN + 28,
            area.name()
        )?;
        at += LEGEND_ROW;
    }
    let outside = map.outside();
    if outside > 0 {
        let text = at + LEGEND_ROW - 6;
        writeln!(
            out,
            r#"<text x="{}" y="{text}" xml:space="preserve">{outside:>9} bytes  behind the last page, not drawn</text>"#,
            MARGIN + 28
        )?;
    }
    Ok(())
}

const WIDTH: u32 = 1100;
const MARGIN: u32 = 12;
const TOP: u32 = 32;
const ROW: u32 = 20;
const STRIP: u32 = 16;
const STRIP_AT: u32 = 170;
const STRIP_WIDTH: u32 = 820;
const WEAR_AT: u32 = 1000;
const WEAR_WIDTH: u32 = 90;
const GAP: u32 = 16;
const LEGEND_ROW: u32 = 18;
/// Hundredths from which on a record has room for a gap.
const WIDE: u64 = 300;
