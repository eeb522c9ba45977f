//! The report of an inspection for people.
//!
//! ```text
//!  inspect
//!  text     (this file)
//!  area · class_name · in_words
//! ```

use std::fmt::Write as _;
use std::io::{self, Write};

use bydesign::store::inspect::Opened;

use super::Report;
use crate::area::Totals;
use crate::class_name;
use crate::expected::to_hexadecimal;
use crate::in_words;

pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let layout = report.layout;
    writeln!(out, "image    {} bytes", report.image_len)?;
    writeln!(out, "store    {}", in_words::layout(layout))?;
    if let Some(id) = layout.store_id {
        writeln!(out, "id       {}", *to_hexadecimal(&id))?;
    }
    if layout.features != 0 {
        writeln!(out, "features {:#010b}", layout.features)?;
    }
    if let Some(wear) = report.wear() {
        writeln!(
            out,
            "wear     {} of {} pages have an erase mark: {} to {} erases, {} in all",
            wear.marked,
            report.pages.len(),
            wear.least,
            wear.most,
            wear.total
        )?;
    }
    writeln!(out)?;
    write_pages(report, out)?;
    if let Some(opened) = &report.opened {
        write_opened(opened, out)?;
    }
    if let Some(shown) = &report.shown {
        writeln!(out, "\nvalue    {}", *in_words::value(shown))?;
    }
    Ok(())
}

fn write_pages(report: &Report, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "page  address   erases  is               bytes")?;
    for page in &report.pages {
        let mut bytes = String::new();
        for (area, count) in Totals::of(&page.pieces).iter() {
            // A String takes everything.
            let _ = write!(
                bytes,
                "{}{} {count}",
                if bytes.is_empty() { "" } else { ", " },
                area.short()
            );
        }
        let erases = page.erases.map_or("-".into(), |erases| erases.to_string());
        let role = in_words::role(page.role, page.number, page.generation);
        writeln!(
            out,
            "{:>4}  {:08x}  {erases:>6}  {role:<15}  {bytes}",
            page.number, page.address
        )?;
    }
    let totals = Totals::of(report.pages.iter().flat_map(|page| &page.pieces));
    writeln!(out, "\n   bytes")?;
    for (area, count) in totals.iter() {
        writeln!(out, "{count:>8}  {}", area.name())?;
    }
    Ok(())
}

fn write_opened(opened: &Opened, out: &mut impl Write) -> io::Result<()> {
    writeln!(out)?;
    match opened.refusal {
        None => writeln!(out, "mounts, with version {} of the key page", opened.key_version)?,
        Some(refusal) => writeln!(out, "DOES NOT MOUNT: {refusal}; what follows is what still opens")?,
    }
    writeln!(
        out,
        "\nslot  class           key generation  items   bytes of values"
    )?;
    for class in &opened.classes {
        let items = opened.items.iter().filter(|item| Some(item.data) == class.data);
        let bytes: usize = items.clone().map(|item| item.value_len).sum();
        let name = match class.data {
            Some(data) => class_name::of(data),
            None if class.opens => "(free)".into(),
            None => "(DOES NOT OPEN)".into(),
        };
        writeln!(
            out,
            "{:>4}  {name:<15} {:>14} {:>6} {bytes:>17}",
            class.slot,
            class.generation,
            items.count()
        )?;
    }
    writeln!(out, "\nclass            bytes  address   name")?;
    for item in &opened.items {
        let address = item
            .address
            .map_or("-".into(), |address| format!("{address:08x}"));
        let once = if item.is_fixed { " (written once)" } else { "" };
        writeln!(
            out,
            "{:<15} {:>6}  {address:<8}  {}{once}",
            class_name::of(item.data),
            item.value_len,
            in_words::name(&item.name)
        )?;
    }
    Ok(())
}
