//! The store with everything that it can do.
//!
//! ```text
//!  store_all (this file)
//!  board
//! ```
#![no_std]
#![no_main]

#[allow(dead_code)]
mod board;

use core::hint::black_box;

use board::{Flash, Memory, Random};
use bydesign::flash::Overwritable;
use bydesign::secret::{RootKey, Secret};
use bydesign::store::{AnchorPolicy, Change, Class, CounterPlace, FlashCounter, Key, Salvage, Store, UserId};

const NAME: Key<Secret<8>> = Key::new("name", Class::User);
const COUNT: Key<u32> = Key::new("count", Class::Settings);

fn everything() -> Option<()> {
    let root_key = RootKey::new(black_box([7; 32])).ok()?;
    let mut steps = FlashCounter::new(Overwritable::new(Flash), CounterPlace::OutOfReach).ok()?;
    let flash = Overwritable::new(Flash);
    drop(Store::mount_anchored(flash, Memory::new(), &root_key, "label", &mut steps).ok()?);
    let salvaged = Store::salvage(
        Overwritable::new(Flash),
        Memory::new(),
        &root_key,
        "label",
        |found| {
            if let Salvage::Item { name, value, .. } = found {
                black_box((name, value));
            }
        },
    );
    black_box(salvaged.ok()?);

    let mut store = board::start()?;
    store
        .put(
            &NAME.of(UserId(black_box(7))),
            &Secret::new(black_box([1; 8])),
            &mut Random,
        )
        .ok()?;
    store
        .put_fixed_bytes(
            Class::Identity,
            black_box("name"),
            black_box(b"value"),
            &mut Random,
        )
        .ok()?;
    store
        .commit(
            &[Change::put(&COUNT, &black_box(1)), Change::remove(&NAME)],
            &mut Random,
        )
        .ok()?;
    drop(store.get(&NAME).ok()?);
    black_box(store.contains(&COUNT).ok()?);
    store
        .for_each(Class::User, |name, value| {
            black_box((name, value));
        })
        .ok()?;
    store.upgrade(&COUNT, &mut Random).ok()?;
    store.remove(&NAME, &mut Random).ok()?;
    store.erase(UserId(black_box(7)), &mut Random).ok()?;
    store
        .erase_item(Class::User, black_box("name"), &mut Random)
        .ok()?;
    store.change_root_key(&root_key, &mut Random).ok()?;
    store.maintain(black_box(3), &mut Random).ok()?;
    store.start_counter(&mut steps, &mut Random).ok()?;
    store
        .anchor(&mut steps, AnchorPolicy::EveryChange, &mut Random)
        .ok()?;
    store.keep_checkpoints(&mut Random).ok()?;
    black_box((store.freshness(), store.figures()));
    Some(())
}

#[unsafe(no_mangle)]
extern "C" fn begin() {
    black_box(everything());
}
