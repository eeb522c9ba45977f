//! What a flash image holds, page by page and record by record, as plain data: for laboratories and tests, never on a device.
//!
//! ```text
//!  store
//!  inspect    (this file)  an image, read without a key or with the root key
//!    opened     the classes and the items
//!    keyed      what each record is to the store: live, superseded, of a class whose key is gone
//!    page       what stands where in a page
//!    heap       memory for images of any size
//!    layout     word, page size and medium, as the image itself states them
//!    copy       an image as a driver: what a mount finishes, it finishes in a copy
//!  mount · salvage · walk · keys · log
//! ```
//!
//! ```
//! use bydesign::flash::WriteOnce;
//! use bydesign::flash::simulator::{Rule, Simulator};
//! use bydesign::secret::RootKey;
//! use bydesign::store::inspect::{Image, State, What};
//! use bydesign::store::{Class, Ram, Store};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let fuses = *b"\x8e\x1f\x02\xd9\x44\xa7\x39\x5b\xc0\x6d\x7e\x13\xfa\x98\x21\x5c\x3b\xe6\x70\x0a\xb5\x4f\xd2\x87\x19\xcc\x63\xae\x05\x7b\xf1\x30";
//! # let root_key = RootKey::new(fuses)?;
//! # let mut random = getrandom::SysRng;
//! let mut flash = Simulator::<8, 2048>::new(16 * 1024, Rule::WriteOnce);
//! let mut store = Store::format(WriteOnce::new(&mut flash), Ram::<8, 256>::new(), &root_key, "settings", &mut random)?;
//! store.put_bytes(Class::Settings, "colour", b"red", &mut random)?;
//! store.put_bytes(Class::Settings, "colour", b"blue", &mut random)?;
//! drop(store);
//!
//! // the image says how long its words and pages are; the root key says what is live
//! let image = Image::of(flash.image())?;
//! assert_eq!(image.layout().page_size, 2048);
//! let opened = image.open(&root_key, "settings")?;
//! let with = |wanted: State| {
//!     let pieces = opened.pages.iter().flat_map(|page| &page.pieces);
//!     pieces.filter(|piece| matches!(piece.what, What::Record { kind, state, .. } if state == wanted && kind.is_value())).count()
//! };
//! assert_eq!((with(State::Live), with(State::Superseded)), (1, 1));
//! # Ok(())
//! # }
//! ```
//!
//! # Security
//!
//! Nothing is written, not even what a mount would finish: that happens in a copy in memory. No value leaves this module but the one that
//! [`Image::show`] is asked for; names do, with the root key. What is called [`State::Dead`] here rests on what the key page says of the
//! class. Whether it can still be opened, by a key that is somewhere else in the image, is a question for a search that believes nothing.

mod claims;
mod copy;
mod heap;
mod keyed;
mod layout;
mod opened;
mod page;

use std::vec::Vec;

pub use claims::CLAIMS;
pub use layout::Layout;
pub use opened::{ClassKeySlot, Item, Opened, ShowError};
pub use page::{Page, Piece, RecordKind, Role, State, What};

use super::class::DataClass;
use super::error::MountError;
use super::format;
use crate::flash::{MediumKind, Overwritable, WriteOnce};
use crate::secret::RootKey;

/// An image of flash that holds a store, or held one.
#[derive(Clone, Copy)]
pub struct Image<'a> {
    bytes: &'a [u8],
    layout: Layout,
}

/// Why an image cannot be looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// No key page says how long words and pages are; see [`Image::with_layout`].
    #[error("no key page in it says how long its words and pages are")]
    NoLayout,
    /// The store was written by a newer version of the format (its number is given).
    #[error("the store has the newer format version {0}")]
    NewerFormat(u8),
    /// No store has such words, pages, or such a number of them.
    #[error("no store has such words and pages")]
    Layout,
}

impl<'a> Image<'a> {
    /// An image whose key page says how long its words and pages are.
    ///
    /// # Errors
    ///
    /// [`ImageError`].
    pub fn of(bytes: &'a [u8]) -> Result<Self, ImageError> {
        Layout::in_image(bytes).map(|layout| Self { bytes, layout })
    }

    /// An image that does not say so any more.
    ///
    /// # Errors
    ///
    /// [`ImageError::Layout`].
    pub fn with_layout(
        bytes: &'a [u8],
        medium: MediumKind,
        word: u32,
        page_size: u32,
    ) -> Result<Self, ImageError> {
        Layout::given(bytes.len(), medium, word, page_size)
            .map(|layout| Self { bytes, layout })
            .ok_or(ImageError::Layout)
    }

    /// Its words, its pages, and what is programmed twice.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// What stands where, as far as it shows without a key: every record is [`State::Sealed`], wiped, or not whole.
    #[must_use]
    pub fn pages(&self) -> Vec<Page> {
        page::pages(self.bytes, self.layout, &mut page::Sealed::default())
    }

    /// What stands where and what it is to the store.
    ///
    /// # Errors
    ///
    /// [`MountError`]: no key page opens, or the store's own key does not. A store that opens and does not mount is no error:
    /// [`Opened::refusal`].
    //= compliance/requirements.md#lab-1
    //# Looking into an image MUST change nothing in it, and MUST give away no value but one that was asked for by its class and name.
    pub fn open(&self, root_key: &RootKey, label: &str) -> Result<Opened, MountError> {
        match self.layout.medium {
            MediumKind::Overwritable => {
                opened::open::<Overwritable<_>>(self.bytes, self.layout, root_key, label)
            }
            MediumKind::WriteOnce => opened::open::<WriteOnce<_>>(self.bytes, self.layout, root_key, label),
        }
    }

    /// Calls `each` with the value of one item. The slice is wiped afterwards.
    ///
    /// # Errors
    ///
    /// [`ShowError`].
    pub fn show(
        &self,
        root_key: &RootKey,
        label: &str,
        data: DataClass,
        name: &str,
        each: impl FnMut(&[u8]),
    ) -> Result<(), ShowError> {
        if name.len() > format::MAX_NAME {
            return Err(ShowError::NoSuchItem);
        }
        match self.layout.medium {
            MediumKind::Overwritable => {
                opened::show::<Overwritable<_>>(self.bytes, self.layout, root_key, label, data, name, each)
            }
            MediumKind::WriteOnce => {
                opened::show::<WriteOnce<_>>(self.bytes, self.layout, root_key, label, data, name, each)
            }
        }
    }
}
