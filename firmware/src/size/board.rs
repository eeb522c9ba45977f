//! What every image that is measured stands on: flash, random source and counter that the compiler cannot see through.
//!
//! ```text
//!  nothing · cipher · store · limiter · …   (images)
//!  board    (this file)
//! ```

use core::convert::Infallible;
use core::hint::black_box;

use bydesign::flash::{Blocking, Overwritable};
use bydesign::secret::RootKey;
use bydesign::store::{Class, MountError, Ram, Store};
use embedded_storage::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, NorFlashErrorKind, ReadNorFlash};
use rand_core::{TryCryptoRng, TryRng};

/// A part behind registers.
pub(crate) struct Flash;

impl ErrorType for Flash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        black_box((offset, bytes));
        black_box(Ok(()))
    }

    fn capacity(&self) -> usize {
        black_box(64 * 1024)
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        black_box((from, to));
        black_box(Ok(()))
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        black_box((offset, bytes));
        black_box(Ok(()))
    }
}

impl MultiwriteNorFlash for Flash {}

/// A generator behind a register.
pub(crate) struct Random;

impl TryRng for Random {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(black_box(1))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(black_box(1))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        black_box(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Random {}

pub(crate) type Memory = Ram<32, 256>;
pub(crate) type Storage = Store<Overwritable<Blocking<Flash>>, Memory>;

/// What every product does at its start: the store is mounted, or made.
#[inline(never)]
pub(crate) fn start() -> Option<Storage> {
    let root_key = RootKey::new(black_box([7; 32])).ok()?;
    match Store::mount(Overwritable::new(Flash), Memory::new(), &root_key, "label") {
        Err(MountError::Unformatted) => Store::format(
            Overwritable::new(Flash),
            Memory::new(),
            &root_key,
            "label",
            &mut Random,
        )
        .ok(),
        mounted => mounted.ok(),
    }
}

/// What every product does with it.
#[inline(never)]
pub(crate) fn work(store: &mut Storage) -> Option<()> {
    store
        .put_bytes(
            Class::Settings,
            black_box("name"),
            black_box(b"value"),
            &mut Random,
        )
        .ok()?;
    let mut out = [0; 64];
    black_box(
        store
            .get_bytes(Class::Settings, black_box("name"), &mut out)
            .ok()?,
    );
    store
        .remove_bytes(Class::Settings, black_box("name"), &mut Random)
        .ok()?;
    store.erase(Class::User, &mut Random).ok()
}

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        black_box(());
    }
}
