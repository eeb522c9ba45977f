//! An image file, and what is known of its layout.
//!
//! ```text
//!  inspect · residue · map
//!  image_file (this file)
//!  fault · in_words · bydesign::store::inspect
//! ```

use std::fs::File;
use std::io::Read;
use std::path::Path;

use bydesign::flash::MediumKind;
use bydesign::store::inspect::{Image, ImageError};

use crate::arguments::ImageArguments;
use crate::fault::Fault;
use crate::in_words;

/// A store takes 64 MiB of a part; a dump may hold more beside it.
const LONGEST: u64 = 256 * 1024 * 1024;

/// Reads an image file.
///
/// # Errors
///
/// [`Fault`].
pub fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    let file = File::open(path).map_err(Fault::read(path))?;
    let mut bytes = Vec::new();
    let len = file
        .take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(Fault::read(path))?;
    if u64::try_from(len).is_ok_and(|len| len <= LONGEST) {
        Ok(bytes)
    } else {
        Err(Fault::TooLong {
            path: path.into(),
            limit: LONGEST,
        })
    }
}

/// The image, with the layout that it states, or else that of the arguments.
///
/// # Errors
///
/// [`Fault::Image`]; [`Fault::Contradicted`] if the arguments say something else than the image.
pub fn of<'a>(bytes: &'a [u8], arguments: &ImageArguments) -> Result<Image<'a>, Fault> {
    let path = &arguments.file;
    let given = match (arguments.medium, arguments.word, arguments.page) {
        (Some(medium), Some(word), Some(page)) => Some((MediumKind::from(medium), word, page)),
        _ => None,
    };
    let fault = |reason| Fault::Image {
        path: path.clone(),
        reason,
    };
    match (Image::of(bytes), given) {
        (Ok(image), Some(given)) => {
            let layout = image.layout();
            if given == (layout.medium, layout.word, layout.page_size) {
                Ok(image)
            } else {
                Err(Fault::Contradicted {
                    path: path.clone(),
                    said: in_words::layout(layout),
                })
            }
        }
        (Ok(image), None) => Ok(image),
        (Err(ImageError::NoLayout), Some((medium, word, page))) => {
            Image::with_layout(bytes, medium, word, page).map_err(fault)
        }
        (Err(reason), _) => Err(fault(reason)),
    }
}
