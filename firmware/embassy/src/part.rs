//! What the part gives: two stretches of its flash, and the root key.
//!
//! ```text
//!  device
//!  part     (this file)
//!  embassy-nrf Nvmc · UICR
//! ```

use core::cell::RefCell;

use bydesign::flash::{Blocking, WriteOnce};
use bydesign::secret::RootKey;
use bydesign::store::{AsyncStore, Ram};
use embassy_embedded_hal::flash::partition::BlockingPartition;
use embassy_nrf::nvmc::{Nvmc, PAGE_SIZE};
use embassy_nrf::pac::UICR;
use embassy_sync::blocking_mutex::Mutex;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;

/// The last 64 KiB: `memory.x` keeps the program out of them. As `factory.toml` has it.
const START: u32 = 960 * 1024;
const STORE_BYTES: u32 = 14 * PAGE_SIZE as u32;
const AREA_BYTES: u32 = 2 * PAGE_SIZE as u32;

/// The controller, which the two stretches share.
pub(crate) type Flash = Mutex<NoopRawMutex, RefCell<Nvmc<'static>>>;
/// A word may be programmed twice between erases, and no more: a record and its overwriting are two, and nothing is left for a cut.
pub(crate) type Medium<'a> = WriteOnce<Blocking<BlockingPartition<'a, NoopRawMutex, Nvmc<'static>>>>;
/// Items, and the largest record: the factory's certificate.
pub(crate) type Memory = Ram<64, 1024, 12>;
pub(crate) type Store<'a> = AsyncStore<Medium<'a>, Memory>;

pub(crate) fn flash(controller: Nvmc<'static>) -> Flash {
    Mutex::new(RefCell::new(controller))
}

pub(crate) fn store_part(flash: &Flash) -> Medium<'_> {
    WriteOnce::new(BlockingPartition::new(flash, START, STORE_BYTES))
}

pub(crate) fn area_part(flash: &Flash) -> Medium<'_> {
    WriteOnce::new(BlockingPartition::new(flash, START + STORE_BYTES, AREA_BYTES))
}

/// Programmed at the factory, and read back only by the core: access through the debug port is closed (APPROTECT), or this key is anybody's. A part that
/// nothing was programmed to has 32 bytes of ff, which is refused.
pub(crate) fn root_key() -> Option<RootKey> {
    let mut bytes = [0; 32];
    for (number, word) in bytes.chunks_exact_mut(4).enumerate() {
        word.copy_from_slice(&UICR.customer(number).read().to_le_bytes());
    }
    RootKey::new(bytes).ok()
}
