//! `image map`: every byte of an image in one of a few areas, drawn page by page, so that an erase can be seen.
//!
//! ```text
//!  lib
//!  map      (this file)
//!    svg · json
//!  area · image_file · key_file · inspect
//! ```

mod json;
mod svg;

use std::fs;
use std::io::Write;

use bydesign::store::inspect::{Layout, Page};

use crate::Outcome;
use crate::area::Totals;
use crate::arguments;
use crate::fault::Fault;
use crate::image_file;
use crate::inspect;
use crate::key_file::Key;
use crate::progress::Progress;

/// A map of an image.
pub struct Map {
    /// Bytes of the image.
    pub image_len: usize,
    /// Its layout.
    pub layout: Layout,
    /// Its pages.
    pub pages: Vec<Page>,
    /// It was opened with the root key.
    pub is_opened: bool,
}

impl Map {
    /// Bytes of each area.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals::of(self.pages.iter().flat_map(|page| &page.pieces))
    }

    /// The picture. The same image gives the same bytes.
    #[must_use]
    pub fn to_svg(&self) -> String {
        svg::draw(self)
    }

    /// The map as JSON.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        json::map(self)
    }

    /// Bytes of the image behind the store's last page.
    #[must_use]
    pub fn outside(&self) -> u64 {
        let image = u64::try_from(self.image_len).unwrap_or(u64::MAX);
        image.saturating_sub(u64::from(self.layout.pages) * u64::from(self.layout.page_size))
    }
}

pub(crate) fn run(arguments: &arguments::Map, out: &mut impl Write) -> Result<Outcome, Fault> {
    let progress = Progress::of_steps(2);
    let path = &arguments.image.file;
    progress.step("reading");
    let bytes = image_file::read(path)?;
    let image = image_file::of(&bytes, &arguments.image)?;
    let key = Key::of(&arguments.key)?;
    progress.step("looking");
    let report = inspect::report(&image, bytes.len(), path, key.as_ref())?;
    let map = Map {
        image_len: report.image_len,
        layout: report.layout,
        is_opened: report.opened.is_some(),
        pages: report.pages,
    };
    drop(progress);
    if let Some(output) = &arguments.output {
        fs::write(output, map.to_svg()).map_err(Fault::write(output))?;
    }
    let written = if arguments.json {
        json::write(&map, out)
    } else {
        map.totals()
            .iter()
            .try_for_each(|(area, bytes)| writeln!(out, "{bytes:>8}  {}", area.name()))
    };
    written.map_err(Fault::output)?;
    Ok(Outcome::Clear)
}
