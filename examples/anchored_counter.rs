//! An earlier image of the flash, put back by whoever holds the board: noticed, because a counter outside it went on.
//!
//! ```text
//! cargo run --example anchored_counter
//! ```

use std::error::Error;

use bydesign::flash::Overwritable;
use bydesign::flash::simulator::{Rule, Simulator};
use bydesign::secret::RootKey;
use bydesign::store::{AnchorPolicy, Class, CounterPlace, FlashCounter, Key, Ram, Store};
use getrandom::SysRng;

type Memory = Ram<16, 256>;

const TRIES_LEFT: Key<u8> = Key::new("pin.tries", Class::Settings);

fn main() -> Result<(), Box<dyn Error>> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    let root_key = RootKey::new(secret)?;
    let mut flash = Simulator::<4, 4096>::new(32 * 1024, Rule::Multiwrite);

    // Here a flash area inside the processor, say. An RPMB, a TPM or fuses implement `Counter` in a few lines.
    let mut inside = Simulator::<4, 4096>::new(8192, Rule::Multiwrite);
    let mut counter = FlashCounter::new(Overwritable::new(&mut inside), CounterPlace::OutOfReach)?;

    let medium = Overwritable::new(&mut flash);
    let mut store = Store::format(medium, Memory::new(), &root_key, "pin", &mut SysRng)?;
    store.put(&TRIES_LEFT, &3, &mut SysRng)?;
    store.start_counter(&mut counter, &mut SysRng)?;
    println!("three tries left, {:?}", store.freshness());
    drop(store);

    let image_with_three_tries = flash.clone();

    let medium = Overwritable::new(&mut flash);
    let mut store = Store::mount_anchored(medium, Memory::new(), &root_key, "pin", &mut counter)?;
    for left in [2, 1, 0] {
        store.put(&TRIES_LEFT, &left, &mut SysRng)?;
        // Before the PIN is compared: this step is not to be undone.
        store.anchor(&mut counter, AnchorPolicy::EveryChange, &mut SysRng)?;
    }
    println!("no try left, {:?}", store.freshness());
    drop(store);

    println!("the attacker puts the image with three tries back");
    let mut flash = image_with_three_tries;
    let medium = Overwritable::new(&mut flash);
    match Store::mount_anchored(medium, Memory::new(), &root_key, "pin", &mut counter) {
        Ok(_) => Err("it was not noticed".into()),
        Err(refused) => {
            println!("refused: {refused}");
            Ok(())
        }
    }
}
