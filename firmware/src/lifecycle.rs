//! What a device does in its life: first boot and owner, settings and users' data, guesses, reports, erasures; with a journal on the serial
//! line, which says what is about to happen before it happens, and what has happened after it did.
//!
//! ```text
//!  lifecycle (this file)          one boot
//!    journal                      its lines
//!    access                       the owner's password, guesses
//!    work                         operations, each made from its number
//!  firmware::{board, orders}
//! ```
//!
//! Every boot first says what is there: `item`, `failures`, `spent`. Whoever kept the journal of the boots before holds it against that.
#![no_std]
#![no_main]

#[path = "lifecycle/access.rs"]
mod access;
#[allow(dead_code, unreachable_pub)]
#[path = "../../examples/lifecycle/declaration.rs"]
mod declaration;
#[path = "lifecycle/journal.rs"]
mod journal;
#[path = "lifecycle/work.rs"]
mod work;

use core::cell::RefCell;
use core::fmt::Display;

use bydesign::credential::items::{ROTATED, SERIAL};
use bydesign::credential::limiter::{AttemptError, Limiter};
use bydesign::credential::{Claim, Device, Stage, Verifier};
use bydesign::erase::{Eraser, Found, Media, ResumeError};
use bydesign::secret::{RootKey, Secret};
use bydesign::store::{MountError, Ram, Store};
use bydesign::telemetry::Gate;
use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use embedded_storage::nor_flash::NorFlash;
use firmware::board::{self, Chip, Medium};
use firmware::orders::Orders;
use firmware::part::partition::Partition;

use access::{COST, Door, POLICY, blocks};
use declaration::Household;
use journal::say;
use work::{classes, is_of_the_work};

/// The label of the store's partition, and the name of the limiter: those of the factory's profile.
const LABEL: &str = "lifecycle";
const LIMITER: &str = "owner";
/// What a device is called that no factory made.
const UNKNOWN: &str = "BLANK-0001";
const GATE: Gate<Household> = Gate::new();

/// Items, and the largest record: the factory's certificate.
type Memory = Ram<64, 1024, 12>;
type Storage<'a> = Store<Medium<'a>, Memory>;

/// What went wrong, in words: the journal's last line.
struct Fault;

/// Says what went wrong, once.
fn during<E: Display>(what: &str) -> impl Fn(E) -> Fault + '_ {
    move |error| {
        say!("fault {what}: {error}");
        Fault
    }
}

/// Where both images begin.
fn begin() -> ! {
    match board::orders() {
        None => say!("fault there are no orders"),
        Some(orders) => {
            say!("boot {}", orders.boot);
            if orders.cut_after > 0 {
                board::cut_after(orders.cut_after);
            }
            if boot(&orders).is_ok() {
                say!("end");
            }
        }
    }
    board::rest()
}

fn boot(orders: &Orders) -> Result<(), Fault> {
    let chip = RefCell::new(board::chip(orders).map_err(|error| {
        say!("fault the chip: {error:?}");
        Fault
    })?);
    let unit = Chip::ERASE_SIZE;
    let store_bytes = board::STORE_UNITS * unit;
    let store_part = || board::medium(Partition::new(&chip, 0, store_bytes));
    let area_part = || board::medium(Partition::new(&chip, store_bytes as u32, 2 * unit));
    // No two boots draw the same: a source that repeats itself would be refused, and in a product it would be a fault.
    let seed = u64::from(orders.seed) << 32 | u64::from(orders.boot);
    let mut random = ChaCha20Rng::seed_from_u64(seed);
    let root_key = RootKey::new(orders.root_key).map_err(during("the root key"))?;

    let mut eraser = Eraser::new(&mut [])
        .map_err(during("areas"))?
        .on(Media::RawFlash)
        .rotating(&ROTATED);
    let mounted = match eraser.mount(store_part(), Memory::new(), &root_key, LABEL, &mut random) {
        Err(ResumeError::Mount(MountError::Unformatted)) => {
            say!("unformatted");
            let made = Storage::format_erasing(store_part(), Memory::new(), &root_key, LABEL, &mut random);
            Ok((made.map_err(during("format"))?, Found::Nothing))
        }
        mounted => mounted,
    };
    let (mut store, found) = mounted.map_err(during("mount"))?;
    if found != Found::Nothing {
        say!("resumed");
    }
    eraser
        .prepare(&mut store, &mut random)
        .map_err(during("prepare"))?;
    let limiter = match Limiter::mount(area_part(), &mut store, LIMITER, POLICY, access::START) {
        Err(AttemptError::Missing) => Limiter::create(
            area_part(),
            &mut store,
            LIMITER,
            POLICY,
            access::START,
            &mut random,
        ),
        // No factory, and a cut between the store's record and the area.
        Err(AttemptError::Area) => {
            say!("repaired");
            Limiter::repair(
                area_part(),
                &mut store,
                LIMITER,
                POLICY,
                access::START,
                &mut random,
            )
            .map(|(limiter, _)| limiter)
        }
        mounted => mounted,
    };
    let mut door = Door::new(limiter.map_err(during("limiter"))?);

    let mut store = match Device::open(store).map_err(during("open"))? {
        Stage::Unprovisioned(device) => {
            say!("stage unprovisioned");
            let code = access::typed(orders)?;
            let code =
                Verifier::of_issued(code.symbols().as_bytes(), [orders.seed as u8; 16], COST, blocks());
            let code = code.map_err(during("a verifier"))?;
            let identity = Secret::random(&mut random).map_err(during("an identity"))?;
            let serial = bydesign::credential::items::Serial::new(UNKNOWN).ok_or(Fault)?;
            let device = device.provision(&identity, &serial, Claim::Code(&code), &mut random);
            device.map_err(during("provision"))?.into_store()
        }
        Stage::Provisioned(device) => {
            say!("stage provisioned");
            device.into_store()
        }
        Stage::OwnerSet(device) => {
            say!("stage owner");
            device.into_store()
        }
    };
    tell(&mut store, &mut door, &mut random)?;

    let mut device = match Device::open(store).map_err(during("open"))? {
        Stage::Provisioned(device) => door.claim(device, orders, &mut random)?,
        Stage::OwnerSet(device) => device,
        Stage::Unprovisioned(_) => return Err(during("open")("the identity is gone")),
    };
    let store = device.store();
    while let Some(purpose) = GATE.question(store).map_err(during("question"))? {
        say!("question {purpose}");
        GATE.grant(store, purpose, work::now(orders.first), &mut random)
            .map_err(during("grant"))?;
        say!("granted {purpose}");
    }
    say!("ready");
    let operations = orders.first..orders.first.saturating_add(orders.operations);
    for number in operations {
        if !work::operation(
            number,
            orders.seed,
            &mut device,
            &mut door,
            &mut eraser,
            &mut random,
        )? {
            break;
        }
    }
    Ok(())
}

/// What is there.
fn tell(store: &mut Storage<'_>, door: &mut Door<'_>, random: &mut ChaCha20Rng) -> Result<(), Fault> {
    if let Some(serial) = store.get(&SERIAL).map_err(during("serial"))? {
        say!("serial {}", serial.as_str());
    }
    for (class, name) in classes() {
        store
            .for_each(class, |item: &str, value: &[u8]| {
                if is_of_the_work(item) {
                    say!("item {name} {item} {}", journal::Hex(value));
                }
            })
            .map_err(during("listing"))?;
    }
    say!("failures {}", door.failures(store));
    let status = GATE
        .status(store, declaration::CARE.rules.number, work::now(0), random)
        .map_err(during("status"))?;
    say!("spent {}", status.spent.micros());
    say!("told");
    Ok(())
}

#[cfg(target_arch = "arm")]
#[cortex_m_rt::entry]
fn main() -> ! {
    begin()
}

#[cfg(target_arch = "riscv32")]
mod start {
    /// After the stack is there and memory is cleared.
    #[unsafe(export_name = "begin")]
    extern "C" fn main() -> ! {
        super::begin()
    }
}

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo<'_>) -> ! {
    say!("fault a panic");
    board::rest()
}
