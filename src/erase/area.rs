//! Places outside the store that an erasure must reach, and what was achieved there.

use core::fmt;
use core::task::{Context, Poll};

use embedded_storage::nor_flash::NorFlash;

use super::scope::Kind;
use crate::store::Amount;

/// Most areas that an erasure knows, and a receipt lists.
pub const MOST_AREAS: usize = 8;

/// Longest name of an area, in bytes.
pub const LONGEST_NAME: usize = 16;

/// How data was made unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Level {
    /// The only key that opens it was destroyed: what NIST SP 800-88 calls cryptographic erase.
    KeyDestroyed,
    /// It was overwritten.
    Overwritten,
    /// The flash that held it was erased.
    PageErased,
    /// Another component was told to delete it, and says that it did.
    Delegated,
}

impl Level {
    pub(crate) const ALL: [Self; 4] = [
        Self::KeyDestroyed,
        Self::Overwritten,
        Self::PageErased,
        Self::Delegated,
    ];

    /// The number on flash and in a receipt.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::KeyDestroyed => 1,
            Self::Overwritten => 2,
            Self::PageErased => 3,
            Self::Delegated => 4,
        }
    }

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.number() == number)
    }

    /// In words, for a screen.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::KeyDestroyed => "key destroyed",
            Self::Overwritten => "overwritten",
            Self::PageErased => "flash erased",
            Self::Delegated => "deleted by another component",
        }
    }
}

/// What lies under the store. Only the integrator knows; the receipt repeats it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Media {
    /// Something that moves data by itself: a file, an SD card, eMMC, an SSD. What is overwritten or erased there may live on behind the
    /// translation layer.
    #[default]
    Managed,
    /// Flash whose cells are where the addresses say.
    RawFlash,
}

impl Media {
    /// In words, for a screen.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Managed => "managed storage",
            Self::RawFlash => "raw flash",
        }
    }
}

/// What may be left of what was erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Residual {
    /// Nothing that is known of.
    Nothing,
    /// Sealed records without a key, until their pages are used again.
    SealedRecords,
    /// Copies that a translation layer keeps.
    HiddenCopies,
    /// Nobody can tell.
    Unknown,
}

impl Residual {
    pub(crate) const ALL: [Self; 4] = [
        Self::Nothing,
        Self::SealedRecords,
        Self::HiddenCopies,
        Self::Unknown,
    ];

    /// The number on flash and in a receipt.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::SealedRecords => 1,
            Self::HiddenCopies => 2,
            Self::Unknown => 3,
        }
    }

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|residual| residual.number() == number)
    }

    /// In words, for a screen.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Nothing => "nothing known",
            Self::SealedRecords => "sealed records without a key",
            Self::HiddenCopies => "copies behind a translation layer",
            Self::Unknown => "unknown",
        }
    }
}

/// What was achieved in an area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cleared {
    /// How.
    pub level: Level,
    /// Whether it was looked at afterwards.
    pub verified: bool,
    /// What may be left.
    pub residual: Residual,
}

impl Cleared {
    /// The word of NIST SP 800-88r2 that this deserves on a kind of medium: never more than medium, look and remains allow.
    ///
    /// A destroyed key counts as *purge* only where every copy of it is known to be gone: on raw flash, and seen to be so. Whoever else held a copy of
    /// the root key *and* of the flash is out of its reach. Overwriting and erasing through the part's own interface is *clear*. For what
    /// another component did, there is no word.
    //= compliance/requirements.md#erase-8
    //# A receipt MUST NOT call a key's destruction a purge where it was not seen, or where copies may be left.
    #[must_use]
    pub const fn sanitization(&self, media: Media) -> Option<&'static str> {
        match (self.level, media, self.residual) {
            (Level::Delegated, ..) => None,
            (Level::KeyDestroyed, Media::RawFlash, Residual::Nothing | Residual::SealedRecords)
                if self.verified =>
            {
                Some("purge")
            }
            _ => Some("clear"),
        }
    }
}

/// An area could not be erased; it is tried again at the next boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the area was not erased")]
pub struct AreaFailed;

/// A place outside the store that holds data of an owner or a user: a log on another flash, a cache, a radio's bonding table.
///
/// What is registered with the [`Eraser`](super::Eraser) is not forgotten: it is erased with the store, before anybody can read again after a power cut,
/// and until it succeeds, at every boot. Erasing must be harmless where there is nothing, and may be begun again at any point.
pub trait Area {
    /// What it is called in a receipt: up to [`LONGEST_NAME`] bytes, the same from one firmware to the next.
    fn name(&self) -> &str;

    /// Whether it goes with a scope. Unless the area says otherwise: with all users' data, and whatever takes more.
    fn goes_with(&self, scope: Kind) -> bool {
        !matches!(scope, Kind::Item | Kind::User)
    }

    /// What it holds, as far as it can tell.
    fn amount(&mut self) -> Amount {
        Amount::default()
    }

    /// Erases it. For slow hardware, asynchronous: is called again until it is ready.
    ///
    /// # Errors
    ///
    /// [`AreaFailed`]; the erasure goes on without the area, names it in its report, and tries it again at the next boot.
    fn poll_erase(&mut self, scope: Kind, context: &mut Context<'_>) -> Poll<Result<Cleared, AreaFailed>>;
}

/// An area that a function erases.
///
/// ```
/// use bydesign::erase::{AreaFailed, Callback, Cleared, Level, Residual};
/// # struct Radio; impl Radio { fn delete_bonds(&mut self) -> Result<(), ()> { Ok(()) } }
/// # let mut radio = Radio;
///
/// let bonds = Callback::new("radio bonds", |_scope| {
///     radio.delete_bonds().map_err(|()| AreaFailed)?;
///     Ok(Cleared { level: Level::Delegated, verified: false, residual: Residual::Unknown })
/// });
/// ```
pub struct Callback<F> {
    name: &'static str,
    erase: F,
}

impl<F: FnMut(Kind) -> Result<Cleared, AreaFailed>> Callback<F> {
    /// An area of this name.
    pub const fn new(name: &'static str, erase: F) -> Self {
        Self { name, erase }
    }
}

impl<F> fmt::Debug for Callback<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Callback")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl<F: FnMut(Kind) -> Result<Cleared, AreaFailed>> Area for Callback<F> {
    fn name(&self) -> &str {
        self.name
    }

    fn poll_erase(&mut self, scope: Kind, _context: &mut Context<'_>) -> Poll<Result<Cleared, AreaFailed>> {
        Poll::Ready((self.erase)(scope))
    }
}

/// A whole flash driver, or a partition of one, that is erased and then read to see that it is blank.
pub struct Region<F> {
    name: &'static str,
    flash: F,
    media: Media,
}

impl<F: NorFlash> Region<F> {
    /// An area that is everything the driver reaches.
    pub const fn new(name: &'static str, flash: F, media: Media) -> Self {
        Self { name, flash, media }
    }

    fn erase(&mut self) -> Result<(), F::Error> {
        let capacity = u32::try_from(self.flash.capacity()).unwrap_or(u32::MAX);
        let unit = u32::try_from(F::ERASE_SIZE).unwrap_or(u32::MAX).max(1);
        let mut from = 0;
        while from < capacity {
            let to = from.saturating_add(unit).min(capacity);
            self.flash.erase(from, to)?;
            from = to;
        }
        Ok(())
    }

    fn is_blank(&mut self) -> Result<bool, F::Error> {
        // A multiple of every size that a driver reads at once.
        let mut bytes = [0; 256];
        let capacity = u32::try_from(self.flash.capacity()).unwrap_or(u32::MAX);
        let mut from = 0;
        while from < capacity {
            let len = usize::try_from(capacity - from)
                .unwrap_or(bytes.len())
                .min(bytes.len());
            let Some(part) = bytes.get_mut(..len) else { break };
            self.flash.read(from, part)?;
            if part.iter().any(|&byte| byte != 0xff) {
                return Ok(false);
            }
            from = from.saturating_add(256);
        }
        Ok(true)
    }
}

impl<F> fmt::Debug for Region<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Region")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl<F: NorFlash> Area for Region<F> {
    fn name(&self) -> &str {
        self.name
    }

    fn amount(&mut self) -> Amount {
        Amount {
            items: 0,
            bytes: u32::try_from(self.flash.capacity()).unwrap_or(u32::MAX),
        }
    }

    fn poll_erase(&mut self, _scope: Kind, _context: &mut Context<'_>) -> Poll<Result<Cleared, AreaFailed>> {
        let blank = self.erase().and_then(|()| self.is_blank());
        Poll::Ready(match blank {
            Ok(true) => Ok(Cleared {
                level: Level::PageErased,
                verified: true,
                residual: match self.media {
                    Media::RawFlash => Residual::Nothing,
                    Media::Managed => Residual::HiddenCopies,
                },
            }),
            _ => Err(AreaFailed),
        })
    }
}
