//! `Overwritable` and `WriteOnce`: the two kinds of flash, as types.

use embedded_storage::nor_flash as sync;
use embedded_storage_async::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashError, NorFlashErrorKind,
};

use super::{Blocking, foreign, two_faces};

/// What a programmed word of the medium allows. Recorded on flash at format; a mount with the other kind is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MediumKind {
    /// A programmed word may be programmed again, towards zero: removed records are overwritten at once.
    Overwritable,
    /// A word is programmed once between erases: removed records stay, sealed, until their page is erased.
    WriteOnce,
}

#[cfg(any(feature = "factory", feature = "test-util"))]
impl MediumKind {
    /// Of media that have it as a parameter.
    pub(crate) const fn of(is_overwritable: bool) -> Self {
        if is_overwritable {
            Self::Overwritable
        } else {
            Self::WriteOnce
        }
    }
}

/// A flash part of a known kind. Implemented by [`Overwritable`] and [`WriteOnce`] only.
///
/// # Power loss
///
/// Assumed of the part: an interrupted program leaves the words before the interrupted one as asked, that one in any
/// state, and the words after it untouched; an interrupted erase leaves any bit of the erase unit in any state, and a
/// unit that reads blank may be weak. An unreadable word is reported as a read error.
pub trait Medium: sealed::Access {
    /// Which kind it is.
    const KIND: MediumKind;
    /// Bytes a read is aligned to.
    const READ_SIZE: usize;
    /// Bytes a program call is aligned to: the word.
    const WRITE_SIZE: usize;
    /// Bytes of one erase unit.
    const ERASE_SIZE: usize;

    /// Bytes of a read, of a word and of an erase unit: the constants, unless the medium is an image whose sizes are chosen at run time.
    #[doc(hidden)]
    fn sizes(&self) -> (usize, usize, usize) {
        (Self::READ_SIZE, Self::WRITE_SIZE, Self::ERASE_SIZE)
    }

    /// Bytes of the whole part.
    fn capacity(&self) -> usize;
}

/// A medium over a blocking driver: its futures are ready at the first poll, so the blocking face may drive it.
pub trait NeverPends: Medium {}

/// A part whose words may be programmed again towards zero (plain NOR: SPI NOR chips, some internal flash).
///
/// The driver must say so itself, by `MultiwriteNorFlash`:
///
/// ```compile_fail
/// # struct EccFlash;
/// // EccFlash implements NorFlash, but not MultiwriteNorFlash
/// let medium = bydesign::flash::Overwritable::new(EccFlash);
/// ```
#[derive(Debug)]
pub struct Overwritable<F>(F);

/// A part whose words are programmed once between erases (flash with error-correcting codes).
#[derive(Debug)]
pub struct WriteOnce<F>(F);

/// A routine over a medium, as it is before it is awaited. What implements `Future` is named, and not only what it gives, so that a future over a
/// driver that may be sent to another thread may be sent, too.
#[cfg(feature = "async")]
pub(crate) type Routine<M, F> = <M as sealed::Access>::Call<<F as Future>::Output, F>;

/// What sources name as the output of a routine: `two_faces` strikes it out.
#[cfg(not(feature = "async"))]
#[allow(dead_code)] // it is struck out wherever it stands
pub(crate) type Routine<M, F> = core::marker::PhantomData<(M, F)>;

/// Within a medium whose calls are awaited: a routine over it is the future itself.
macro_rules! awaited {
    () => {
        #[cfg(feature = "async")]
        type Call<Output, R: Future<Output = Output>> = R;

        #[cfg(feature = "async")]
        fn call<Output, R: Future<Output = Output>>(routine: R) -> R {
            routine
        }
    };
}
#[cfg(any(feature = "factory", feature = "test-util"))]
pub(super) use awaited;

macro_rules! medium {
    ($name:ident, $sync_bound:path, $async_bound:path) => {
        impl<F: $sync_bound> $name<Blocking<F>> {
            /// Wraps a blocking driver.
            pub fn new(driver: F) -> Self {
                Self(Blocking(driver))
            }

            /// Gives the driver back.
            pub fn into_driver(self) -> F {
                self.0.0
            }

            /// The driver, for what a store does not need of it.
            pub fn driver(&self) -> &F {
                &self.0.0
            }

            /// The driver, for what a store does not need of it. Writing below a mounted store loses data.
            pub fn driver_mut(&mut self) -> &mut F {
                &mut self.0.0
            }
        }

        #[cfg(feature = "async")]
        impl<F: $async_bound> $name<F> {
            /// Wraps an async driver. With feature `async`.
            pub fn from_async(driver: F) -> Self {
                Self(driver)
            }

            /// Gives the async driver back.
            pub fn into_async_driver(self) -> F {
                self.0
            }
        }

        impl<F: $async_bound> Medium for $name<F>
        where
            <F as ErrorType>::Error: NorFlashError,
        {
            const KIND: MediumKind = MediumKind::$name;
            const READ_SIZE: usize = F::READ_SIZE;
            const WRITE_SIZE: usize = F::WRITE_SIZE;
            const ERASE_SIZE: usize = F::ERASE_SIZE;

            fn capacity(&self) -> usize {
                self.0.capacity()
            }
        }

        #[two_faces]
        impl<F: $async_bound> sealed::Access for $name<F>
        where
            <F as ErrorType>::Error: NorFlashError,
        {
            awaited!();

            async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
                foreign(self.0.read(offset, bytes))
                    .await
                    .map_err(|error| error.kind())
            }

            async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
                foreign(self.0.write(offset, bytes))
                    .await
                    .map_err(|error| error.kind())
            }

            async fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
                foreign(self.0.erase(from, to))
                    .await
                    .map_err(|error| error.kind())
            }
        }

        impl<F: $sync_bound> NeverPends for $name<Blocking<F>> {}
    };
}

/// A medium that is only lent.
impl<M: Medium> Medium for &mut M {
    const KIND: MediumKind = M::KIND;
    const READ_SIZE: usize = M::READ_SIZE;
    const WRITE_SIZE: usize = M::WRITE_SIZE;
    const ERASE_SIZE: usize = M::ERASE_SIZE;

    fn sizes(&self) -> (usize, usize, usize) {
        (**self).sizes()
    }

    fn capacity(&self) -> usize {
        (**self).capacity()
    }
}

#[two_faces]
impl<M: Medium> sealed::Access for &mut M {
    #[cfg(feature = "async")]
    type Call<Output, F: Future<Output = Output>> = M::Call<Output, F>;

    #[cfg(feature = "async")]
    fn call<Output, F: Future<Output = Output>>(routine: F) -> Self::Call<Output, F> {
        M::call(routine)
    }

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        (**self).read(offset, bytes).await
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        (**self).write(offset, bytes).await
    }

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        (**self).erase(from, to).await
    }
}

impl<M: NeverPends> NeverPends for &mut M {}

medium!(Overwritable, sync::MultiwriteNorFlash, MultiwriteNorFlash);
medium!(WriteOnce, sync::NorFlash, NorFlash);

pub(super) mod sealed {
    use embedded_storage::nor_flash::NorFlashErrorKind;

    use crate::flash::two_faces;

    /// What the store asks of a medium, each with the driver's error as its portable kind. Public, and named by nobody else: nobody else's
    /// type is a medium, and what awaits a driver here does not where the crate is compiled without waits.
    #[allow(async_fn_in_trait)] // no bounds will be missed by an implementor
    #[two_faces]
    pub trait Access {
        /// What a routine over the medium gives: itself, to be awaited, or its output, where nothing is to be awaited.
        #[cfg(feature = "async")]
        type Call<Output, F: Future<Output = Output>>: IntoFuture<Output = Output>;

        /// Begins a routine over the medium.
        #[cfg(feature = "async")]
        fn call<Output, F: Future<Output = Output>>(routine: F) -> Self::Call<Output, F>;

        /// Runs a routine over the medium.
        #[cfg(not(feature = "async"))]
        fn call<Output>(routine: impl FnOnce() -> Output) -> Output {
            routine()
        }

        /// Reads so many bytes at an offset.
        async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind>;

        /// Programs bytes at an offset.
        async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind>;

        /// Erases the units that make up a range.
        async fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind>;
    }
}
