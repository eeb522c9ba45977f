//! Every operation of the store over a driver and a random source that the compiler cannot see through.
#![no_std]
#![no_main]

use core::convert::Infallible;
use core::hint::black_box;

use bydesign::flash::{NeverPends, Overwritable, WriteOnce};
use bydesign::secret::RootKey;
use bydesign::store::{
    AnchorPolicy, Change, Class, Counter, CounterFailed, CounterPlace, FlashCounter, Key, Ram, Salvage,
    Store, UserId,
};
use embedded_storage::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, NorFlashErrorKind, ReadNorFlash};
use rand_core::{TryCryptoRng, TryRng};

const NAME: Key<[u8; 8]> = Key::new("name", Class::User);
const COUNT: Key<u32> = Key::new("count", Class::Settings);

/// A part behind registers.
struct Flash;

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
struct Random;

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

/// Fuses.
struct Fuses;

impl Counter for Fuses {
    fn place(&self) -> CounterPlace {
        CounterPlace::OutOfReach
    }

    async fn value(&mut self) -> Result<u32, CounterFailed> {
        black_box(Ok(1))
    }

    async fn advance(&mut self) -> Result<(), CounterFailed> {
        black_box(Ok(()))
    }
}

type Memory = Ram<32, 512>;

fn operations<M: NeverPends>(new: fn(Flash) -> M) -> Option<()> {
    let mut random = Random;
    let root_key = RootKey::new(black_box([7; 32])).ok()?;
    drop(Store::format(new(Flash), Memory::new(), &root_key, "label", &mut random).ok()?);
    drop(Store::format_erasing(new(Flash), Memory::new(), &root_key, "label", &mut random).ok()?);
    let salvaged = Store::salvage(new(Flash), Memory::new(), &root_key, "label", |found| {
        if let Salvage::Item { name, value, .. } = found {
            black_box((name, value));
        }
    });
    black_box(salvaged.ok()?);
    drop(Store::mount_anchored(new(Flash), Memory::new(), &root_key, "label", &mut Fuses).ok()?);

    let mut store = Store::mount(new(Flash), Memory::new(), &root_key, "label").ok()?;
    store.put(&NAME, black_box(b"12345678"), &mut random).ok()?;
    store
        .put_bytes(
            Class::Application(black_box(3)),
            black_box("name"),
            black_box(b"value"),
            &mut random,
        )
        .ok()?;
    store
        .put_fixed_bytes(
            Class::Identity,
            black_box("name"),
            black_box(b"value"),
            &mut random,
        )
        .ok()?;
    store
        .commit(
            &[Change::put(&NAME, &[1; 8]), Change::remove(&COUNT)],
            &mut random,
        )
        .ok()?;
    black_box(store.get(&NAME).ok()?);
    black_box(
        store
            .get_bytes(Class::User, black_box("name"), black_box(&mut [0; 20]))
            .ok()?,
    );
    black_box(store.contains(&COUNT).ok()?);
    store
        .for_each(Class::User, |name, value| {
            black_box((name, value));
        })
        .ok()?;
    store.upgrade(&COUNT, &mut random).ok()?;
    store.remove(&NAME, &mut random).ok()?;
    store.erase(UserId(black_box(7)), &mut random).ok()?;
    store
        .erase_item(Class::User, black_box("name"), &mut random)
        .ok()?;
    store.change_root_key(&root_key, &mut random).ok()?;
    store.maintain(black_box(3), &mut random).ok()?;
    store.start_counter(&mut Fuses, &mut random).ok()?;
    let mut steps = FlashCounter::new(new(Flash), CounterPlace::SameFlash).ok()?;
    store
        .anchor(&mut steps, AnchorPolicy::EveryChange, &mut random)
        .ok()?;
    black_box((store.freshness(), store.figures()));
    Some(())
}

#[unsafe(no_mangle)]
extern "C" fn begin() {
    black_box(operations(Overwritable::new));
    black_box(operations(WriteOnce::new));
}

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        black_box(());
    }
}
