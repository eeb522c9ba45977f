//! Simulated parts of all sizes behind one type.
//!
//! ```text
//!  store
//!  any          (this file)
//!  simulator
//! ```

use embedded_storage::nor_flash::{NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};

use super::{Counters, Simulator};
use crate::flash::medium::awaited;
use crate::flash::medium::sealed::Access;
use crate::flash::{Medium, MediumKind, NeverPends, two_faces};

mod sealed {
    pub trait Sealed {}
}

/// A [`Simulator`] whose sizes are known at run time only.
pub trait AnySimulator: sealed::Sealed {
    /// Bytes of a word and of an erase unit.
    fn sizes(&self) -> (usize, usize);
    /// Bytes of the whole part.
    fn capacity(&self) -> usize;
    /// As the driver's `read`.
    ///
    /// # Errors
    ///
    /// The portable kind of the simulator's error.
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind>;
    /// As the driver's `write`.
    ///
    /// # Errors
    ///
    /// The portable kind of the simulator's error.
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind>;
    /// As the driver's `erase`.
    ///
    /// # Errors
    ///
    /// The portable kind of the simulator's error.
    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind>;
    /// [`Simulator::image`].
    fn image(&self) -> &[u8];
    /// [`Simulator::image_mut`].
    fn image_mut(&mut self) -> &mut [u8];
    /// [`Simulator::cut_after`].
    fn cut_after(&mut self, events: u64);
    /// [`Simulator::never_cut`].
    fn never_cut(&mut self);
    /// [`Simulator::events`].
    fn events(&self) -> u64;
    /// [`Simulator::is_off`].
    fn is_off(&self) -> bool;
    /// [`Simulator::power_on`].
    fn power_on(&mut self);
    /// [`Simulator::fail_after`].
    fn fail_after(&mut self, operations: u64, kind: NorFlashErrorKind);
    /// [`Simulator::counters`].
    fn counters(&self) -> &Counters;
    /// [`Simulator::reset_counters`].
    fn reset_counters(&mut self);
}

impl<const WRITE: usize, const ERASE: usize> sealed::Sealed for Simulator<WRITE, ERASE> {}

impl<const WRITE: usize, const ERASE: usize> AnySimulator for Simulator<WRITE, ERASE> {
    fn sizes(&self) -> (usize, usize) {
        (WRITE, ERASE)
    }
    fn capacity(&self) -> usize {
        ReadNorFlash::capacity(self)
    }
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        ReadNorFlash::read(self, offset, bytes).map_err(|error| error.kind())
    }
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        NorFlash::write(self, offset, bytes).map_err(|error| error.kind())
    }
    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        NorFlash::erase(self, from, to).map_err(|error| error.kind())
    }
    fn image(&self) -> &[u8] {
        self.image()
    }
    fn image_mut(&mut self) -> &mut [u8] {
        self.image_mut()
    }
    fn cut_after(&mut self, events: u64) {
        self.cut_after(events);
    }
    fn never_cut(&mut self) {
        self.never_cut();
    }
    fn events(&self) -> u64 {
        self.events()
    }
    fn is_off(&self) -> bool {
        self.is_off()
    }
    fn power_on(&mut self) {
        self.power_on();
    }
    fn fail_after(&mut self, operations: u64, kind: NorFlashErrorKind) {
        self.fail_after(operations, kind);
    }
    fn counters(&self) -> &Counters {
        self.counters()
    }
    fn reset_counters(&mut self) {
        self.reset_counters();
    }
}

/// A medium over a simulated part of any sizes. A store over it is compiled once, however many sizes are tried; over
/// [`Overwritable`](crate::flash::Overwritable) and [`WriteOnce`](crate::flash::WriteOnce), as on devices, once for each.
///
/// ```
/// use bydesign::flash::simulator::{AnyPart, Rule, Simulator};
/// use bydesign::flash::Medium;
///
/// let mut small = Simulator::<4, 1024>::new(8192, Rule::Multiwrite);
/// let mut large = Simulator::<1, 4096>::new(65_536, Rule::Multiwrite);
/// let parts: [AnyPart<'_, true>; 2] = [AnyPart::new(&mut small), AnyPart::new(&mut large)];
/// assert_eq!(parts.map(|part| part.capacity()), [8192, 65_536]);
/// ```
pub struct AnyPart<'a, const OVERWRITABLE: bool>(&'a mut dyn AnySimulator);

impl<'a, const OVERWRITABLE: bool> AnyPart<'a, OVERWRITABLE> {
    /// Lends the simulator to a store that treats it as overwritable or as write-once; its [`Rule`](super::Rule) should be the same.
    pub fn new(simulator: &'a mut dyn AnySimulator) -> Self {
        Self(simulator)
    }

    /// The simulator, to look at it while a store runs.
    #[must_use]
    pub fn driver(&self) -> &dyn AnySimulator {
        self.0
    }

    /// The simulator, to cut its power or look at it while a store runs.
    pub fn driver_mut(&mut self) -> &mut dyn AnySimulator {
        self.0
    }
}

impl<const OVERWRITABLE: bool> core::fmt::Debug for AnyPart<'_, OVERWRITABLE> {
    /// Without the image.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (word, unit) = self.0.sizes();
        write!(
            formatter,
            "AnyPart of {} bytes, words of {word}, units of {unit}",
            self.0.capacity()
        )
    }
}

impl<const OVERWRITABLE: bool> NeverPends for AnyPart<'_, OVERWRITABLE> {}

impl<const OVERWRITABLE: bool> Medium for AnyPart<'_, OVERWRITABLE> {
    const KIND: MediumKind = MediumKind::of(OVERWRITABLE);
    const READ_SIZE: usize = 1;
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = 1;

    fn sizes(&self) -> (usize, usize, usize) {
        let (word, unit) = self.0.sizes();
        (1, word, unit)
    }

    fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

#[two_faces]
impl<const OVERWRITABLE: bool> Access for AnyPart<'_, OVERWRITABLE> {
    awaited!();

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        self.0.read(offset, bytes)
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        self.0.write(offset, bytes)
    }

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        self.0.erase(from, to)
    }
}
