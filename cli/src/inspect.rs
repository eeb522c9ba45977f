//! `image inspect`: structure and wear; with the root key classes, names and sizes, and one value that is asked for by name.
//!
//! ```text
//!  lib
//!  inspect  (this file)
//!    text · json
//!  image_file · key_file · class_name · bydesign::store::inspect
//! ```

mod json;
mod text;

use std::io::Write;
use std::path::Path;

use bydesign::store::inspect::{Image, Layout, Opened, Page, What};
use zeroize::Zeroizing;

use crate::Outcome;
use crate::arguments;
use crate::fault::Fault;
use crate::image_file;
use crate::key_file::Key;
use crate::progress::Progress;

/// What an inspection came to.
pub struct Report {
    /// Bytes of the image.
    pub image_len: usize,
    /// Its layout.
    pub layout: Layout,
    /// Its pages: as the root key shows them, if there is one.
    pub pages: Vec<Page>,
    /// What the root key shows.
    pub opened: Option<Opened>,
    /// The value that was asked for. Wiped when dropped.
    pub shown: Option<Zeroizing<Vec<u8>>>,
}

/// Looks into an image.
///
/// # Errors
///
/// [`Fault`].
pub fn report(image: &Image<'_>, image_len: usize, path: &Path, key: Option<&Key>) -> Result<Report, Fault> {
    let opened = key.map(|key| open(image, path, key)).transpose()?;
    Ok(Report {
        image_len,
        layout: image.layout(),
        pages: opened
            .as_ref()
            .map_or_else(|| image.pages(), |opened| opened.pages.clone()),
        opened,
        shown: None,
    })
}

/// Opens an image.
///
/// # Errors
///
/// [`Fault`].
pub fn open(image: &Image<'_>, path: &Path, key: &Key) -> Result<Opened, Fault> {
    let root_key = key.root_key()?;
    image.open(&root_key, &key.label).map_err(|reason| Fault::Mount {
        path: path.into(),
        reason,
    })
}

pub(crate) fn run(arguments: &arguments::Inspect, out: &mut impl Write) -> Result<Outcome, Fault> {
    let progress = Progress::of_steps(3);
    let path = &arguments.image.file;
    progress.step("reading");
    let bytes = image_file::read(path)?;
    let image = image_file::of(&bytes, &arguments.image)?;
    let key = Key::of(&arguments.key)?;
    progress.step("looking");
    let mut report = report(&image, bytes.len(), path, key.as_ref())?;
    progress.step("showing");
    if let (Some(name), Some(data), Some(key)) = (&arguments.show, arguments.class, &key) {
        let mut shown = Zeroizing::new(Vec::new());
        let root_key = key.root_key()?;
        image
            .show(&root_key, &key.label, data, name, |value| *shown = value.to_vec())
            .map_err(|reason| Fault::Show {
                path: path.clone(),
                reason,
            })?;
        report.shown = Some(shown);
    }
    drop(progress);
    let written = if arguments.json {
        json::write(&report, out)
    } else {
        text::write(&report, out)
    };
    written.map_err(Fault::output)?;
    Ok(report.outcome())
}

impl Report {
    /// Whether something is damaged: the store does not mount, a class key does not open, or the image ends early.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let does_not_open = self.opened.as_ref().is_some_and(|opened| {
            opened.refusal.is_some() || opened.classes.iter().any(|class| !class.opens)
        });
        let ends_early = self.bytes_of(What::Missing) > 0;
        if does_not_open || ends_early {
            Outcome::Findings
        } else {
            Outcome::Clear
        }
    }

    fn bytes_of(&self, what: What) -> u32 {
        let pieces = self.pages.iter().flat_map(|page| &page.pieces);
        pieces
            .filter(|piece| piece.what == what)
            .map(|piece| piece.to - piece.from)
            .sum()
    }

    /// Fewest, most and all erases that the marks tell of, and how many pages have a mark.
    #[must_use]
    pub fn wear(&self) -> Option<Wear> {
        let counts = || self.pages.iter().filter_map(|page| page.erases);
        Some(Wear {
            least: counts().min()?,
            most: counts().max()?,
            total: counts().map(u64::from).sum(),
            marked: counts().count(),
        })
    }
}

/// How often pages were erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wear {
    /// The page that was erased least.
    pub least: u32,
    /// The page that was erased most.
    pub most: u32,
    /// All pages together.
    pub total: u64,
    /// Pages whose mark is whole.
    pub marked: usize,
}
