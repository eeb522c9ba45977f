//! A store on the internal flash of an nRF52840, shared by two tasks: one keeps a setting, one makes room when there is time.
//!
//! ```text
//!  nrf52840 (this file)
//!  bydesign::store::AsyncStore          behind an async mutex
//!  BlockingPartition · Nvmc             embassy's stretch of flash, and the part's driver
//! ```
//!
//! Never run in CI: no emulator that is at hand has this part's flash controller.
#![no_std]
#![no_main]

use core::cell::RefCell;
use core::panic::PanicInfo;

use bydesign::flash::{Blocking, WriteOnce};
use bydesign::secret::RootKey;
use bydesign::store::{AsyncStore, Class, Key, MountError, Ram};
use embassy_embedded_hal::flash::partition::BlockingPartition;
use embassy_executor::Spawner;
use embassy_futures::join::join;
use embassy_nrf::mode;
use embassy_nrf::nvmc::Nvmc;
use embassy_nrf::rng::Rng;
use embassy_sync::blocking_mutex::Mutex as Cell;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::mutex::Mutex;
use embassy_time::Timer;

/// The last 64 KiB: `memory.x` keeps the program out of them.
const START: u32 = 960 * 1024;
const BYTES: u32 = 64 * 1024;
const LABEL: &str = "settings";
const STARTS: Key<u32> = Key::new("starts", Class::Settings);

type Memory = Ram<32, 256>;
type Part<'a> = BlockingPartition<'a, NoopRawMutex, Nvmc<'static>>;
/// The controller lets a word be programmed twice between erases. Once is what the data sheet promises to keep readable for ten years.
type Medium<'a> = WriteOnce<Blocking<Part<'a>>>;
type Store<'a> = AsyncStore<Medium<'a>, Memory>;

/// Programmed at the factory, and read back only by the core: access through the debug port is closed (APPROTECT), or this key is anybody's.
fn root_key() -> Option<RootKey> {
    let mut bytes = [0; 32];
    for (number, word) in bytes.chunks_exact_mut(4).enumerate() {
        word.copy_from_slice(&embassy_nrf::pac::UICR.customer(number).read().to_le_bytes());
    }
    // A part that nothing was programmed to has 32 bytes of ff, which is refused.
    RootKey::new(bytes).ok()
}

/// What the tasks share: whoever changes the store draws random bytes.
struct Shared<'a> {
    store: Store<'a>,
    random: Rng<'static, mode::Blocking>,
}

async fn count_starts(shared: &Mutex<NoopRawMutex, Shared<'_>>) -> Option<()> {
    let Shared { store, random } = &mut *shared.lock().await;
    let starts = store.get(&STARTS).await.ok()?.unwrap_or(0);
    store.put(&STARTS, &starts.saturating_add(1), random).await.ok()
}

/// No step takes longer than one erase, 85 ms here, in which the core stands still.
async fn make_room(shared: &Mutex<NoopRawMutex, Shared<'_>>) {
    loop {
        let is_more = {
            let Shared { store, random } = &mut *shared.lock().await;
            store.maintain(1, random).await
        };
        match is_more {
            Ok(true) => Timer::after_millis(20).await,
            _ => break,
        }
    }
}

async fn run(flash: Nvmc<'static>, mut random: Rng<'static, mode::Blocking>) -> Option<()> {
    let flash = Cell::<NoopRawMutex, _>::new(RefCell::new(flash));
    let medium = || WriteOnce::new(BlockingPartition::new(&flash, START, BYTES));
    let root_key = root_key()?;
    let store = match AsyncStore::mount(medium(), Memory::new(), &root_key, LABEL).await {
        Err(MountError::Unformatted) => {
            AsyncStore::format(medium(), Memory::new(), &root_key, LABEL, &mut random)
                .await
                .ok()?
        }
        mounted => mounted.ok()?,
    };
    let shared = Mutex::new(Shared { store, random });
    let (counted, ()) = join(count_starts(&shared), make_room(&shared)).await;
    counted
}

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let parts = embassy_nrf::init(embassy_nrf::config::Config::default());
    let random = Rng::new_blocking(parts.RNG);
    let _ = run(Nvmc::new(parts.NVMC), random).await;
    loop {
        Timer::after_secs(3600).await;
    }
}

#[panic_handler]
fn panicked(_: &PanicInfo<'_>) -> ! {
    cortex_m::peripheral::SCB::sys_reset()
}
