//! Several changes that belong together: all of them or none, wherever power goes.
//!
//! ```text
//! cargo run --example transactions
//! ```

use std::error::Error;

use bydesign::flash::WriteOnce;
use bydesign::flash::simulator::{EraseTear, ProgramTear, Rule, Simulator};
use bydesign::secret::RootKey;
use bydesign::store::{Change, Class, Key, Ram, Store};
use getrandom::SysRng;

type Memory = Ram<16, 256>;

const PREPAID: Key<u32> = Key::new("meter.prepaid", Class::User);
const USED: Key<u32> = Key::new("meter.used", Class::User);
const TOP_UP: Key<[u8; 8]> = Key::new("top-up", Class::Settings);

fn main() -> Result<(), Box<dyn Error>> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    let root_key = RootKey::new(secret)?;
    let mut flash = Simulator::<8, 2048>::new(32 * 1024, Rule::WriteOnce);
    let medium = WriteOnce::new(&mut flash);
    let mut store = Store::format(medium, Memory::new(), &root_key, "meter", &mut SysRng)?;
    store.put(&PREPAID, &100, &mut SysRng)?;
    store.put(&USED, &0, &mut SysRng)?;
    store.put(&TOP_UP, b"voucher1", &mut SysRng)?;
    drop(store);

    // The voucher is used up and counted in one step. Power goes somewhere in it, a hundred times over.
    let (mut before, mut after) = (0, 0);
    for event in 0..100 {
        let mut flash = flash.clone();
        flash.set_tear(ProgramTear::TornWord, EraseTear::OldOrOne, event);
        flash.cut_after(event * 5);
        let mounted = Store::mount(WriteOnce::new(&mut flash), Memory::new(), &root_key, "meter");
        let _ = mounted.map(|mut store| {
            let changes = [
                Change::put(&PREPAID, &150),
                Change::put(&USED, &1),
                Change::remove(&TOP_UP),
            ];
            store.commit(&changes, &mut SysRng)
        });
        flash.power_on();

        let medium = WriteOnce::new(&mut flash);
        let mut store = Store::mount(medium, Memory::new(), &root_key, "meter")?;
        match (store.get(&PREPAID)?, store.get(&USED)?, store.get(&TOP_UP)?) {
            (Some(100), Some(0), Some(_)) => before += 1,
            (Some(150), Some(1), None) => after += 1,
            other => return Err(format!("half of it, after a cut at {event}: {other:?}").into()),
        }
    }
    println!("of 100 cuts, {before} left all as it was and {after} left all done; none left half of it");
    Ok(())
}
