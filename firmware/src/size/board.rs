//! What every image that is measured stands on: flash, random source and counter that the compiler cannot see through.
//!
//! ```text
//!  nothing · cipher · store · limiter · …   (images)
//!  board    (this file)
//!  part     that of tests/linked
//! ```

#[path = "../../../tests/linked/src/part.rs"]
mod part;

use core::hint::black_box;

use bydesign::flash::{Blocking, Overwritable};
use bydesign::secret::RootKey;
use bydesign::store::{Class, MountError, Ram, Store};
pub(crate) use part::{Flash, Random};

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
