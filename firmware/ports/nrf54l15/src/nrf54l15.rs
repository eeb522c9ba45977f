//! A store and a limiter on the RRAM of an nRF54L15, over the HAL's driver, random source and clock: what bringing the crate to a part takes.
//!
//! ```text
//!  nrf54l15 (this file)
//!  bydesign                       blocking faces
//!  embassy-nrf                    Rramc · Cracen · UICR · time driver
//! ```
//!
//! Never run: no emulator that is at hand has this part.
#![no_std]
#![no_main]

use core::cell::RefCell;
use core::panic::PanicInfo;

use bydesign::credential::limiter::{AttemptError, Limiter, Moment, Policy};
use bydesign::flash::{Blocking, Overwritable};
use bydesign::secret::RootKey;
use bydesign::store::{Class, Key, MountError, Ram, Store};
use embassy_embedded_hal::flash::partition::BlockingPartition;
use embassy_nrf::cracen::Cracen;
use embassy_nrf::pac::UICR_S;
use embassy_nrf::rramc::{PAGE_SIZE, Rramc, Unbuffered};
use embassy_sync::blocking_mutex::Mutex;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_time::Instant;

/// The last 64 KiB: `memory.x` keeps the program out of them.
const START: u32 = 1460 * 1024;
const STORE_BYTES: u32 = 14 * PAGE_SIZE as u32;
const AREA_BYTES: u32 = 2 * PAGE_SIZE as u32;
const LABEL: &str = "settings";
const STARTS: Key<u32> = Key::new("starts", Class::Settings);

/// The first store of a part holds no record longer than that.
type Memory = Ram<32, 256>;
type Driver = Rramc<'static, Unbuffered>;
type Shared = Mutex<NoopRawMutex, RefCell<Driver>>;
/// A line may be written again at any time: to the store, that is better than NOR. What the driver calls an erase is so many lines of ones.
type Medium<'a> = Overwritable<Blocking<BlockingPartition<'a, NoopRawMutex, Driver>>>;

fn part(memory: &Shared, start: u32, bytes: u32) -> Medium<'_> {
    Overwritable::new(BlockingPartition::new(memory, start, bytes))
}

/// Words of UICR that are programmed once, and erased with everything else only. Better would be a slot of the key management unit, for which the HAL has
/// no driver.
fn root_key() -> Option<RootKey> {
    let mut bytes = [0; 32];
    for (number, word) in bytes.chunks_exact_mut(4).enumerate() {
        word.copy_from_slice(&UICR_S.otp(number).read().to_le_bytes());
    }
    RootKey::new(bytes).ok()
}

fn run() -> Option<()> {
    let parts = embassy_nrf::init(embassy_nrf::config::Config::default());
    let mut random = Cracen::new_blocking(parts.CRACEN);
    let memory = Mutex::new(RefCell::new(Rramc::new(parts.RRAMC)));
    let root_key = root_key()?;
    let mount = || Store::mount(part(&memory, START, STORE_BYTES), Memory::new(), &root_key, LABEL);
    let mut store = match mount() {
        Err(MountError::Unformatted) => {
            let medium = part(&memory, START, STORE_BYTES);
            Store::format(medium, Memory::new(), &root_key, LABEL, &mut random).ok()?
        }
        mounted => mounted.ok()?,
    };
    let starts = store.get(&STARTS).ok()?.unwrap_or(0);
    store.put(&STARTS, &starts.saturating_add(1), &mut random).ok()?;

    // No clock goes on without power here: delays begin anew with each start, failures do not.
    let now = || Moment::Awake(Instant::now().as_secs());
    let area = || part(&memory, START + STORE_BYTES, AREA_BYTES);
    let mut limiter = match Limiter::repair(area(), &mut store, "owner", Policy::new(), now(), &mut random) {
        Err(AttemptError::Missing) => {
            Limiter::create(area(), &mut store, "owner", Policy::new(), now(), &mut random).ok()?
        }
        repaired => repaired.ok()?.0,
    };
    // Where somebody types a password: counted before it is checked. Nobody does here, and nothing comes of it.
    limiter.attempt(&mut store, now(), &mut random).ok()?.fail();
    while store.maintain(1, &mut random).ok()? {}
    Some(())
}

#[cortex_m_rt::entry]
fn main() -> ! {
    let _ = run();
    loop {
        cortex_m::asm::wfi();
    }
}

#[panic_handler]
fn panicked(_: &PanicInfo<'_>) -> ! {
    cortex_m::peripheral::SCB::sys_reset()
}
