//! Settings and a secret in encrypted flash: first boot, later boots, a change of shape, a new owner.
//!
//! ```text
//! cargo run --example encrypted_settings
//! ```

use std::error::Error;

use bydesign::flash::Overwritable;
use bydesign::flash::simulator::{Rule, Simulator};
use bydesign::secret::{RootKey, Secret};
use bydesign::store::{Class, CodecError, Key, MountError, Ram, Serde, Store, Stored};
use getrandom::SysRng;
use serde::{Deserialize, Serialize};

/// On a device this is the driver of the part.
type Flash = Simulator<4, 4096>;
type Memory = Ram<32, 512>;

#[derive(Serialize, Deserialize, Debug)]
struct Schedule {
    minute_of_day: u16,
    on: bool,
}

// An item is a constant: its name, class and type in one place.
const WIFI_PASSWORD: Key<Secret<12>> = Key::new("wifi.password", Class::Settings);
const SCHEDULE: Key<Serde<Schedule>> = Key::new("schedule", Class::Settings)
    .version(1)
    .migrate(earlier_schedule);
const SERIAL: Key<[u8; 6]> = Key::fixed("serial", Class::Identity);

/// Version 0 was the hour alone.
const SCHEDULE_OF_OLD: Key<u8> = Key::new("schedule", Class::Settings);

fn earlier_schedule(_version: u8, bytes: &[u8]) -> Result<Serde<Schedule>, CodecError> {
    Ok(Serde(Schedule {
        minute_of_day: u16::from(u8::decode(bytes)?) * 60,
        on: true,
    }))
}

fn main() -> Result<(), Box<dyn Error>> {
    // On a device: from fuses, a PUF, a secure element or a TEE; never from this flash.
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    let root_key = RootKey::new(secret)?;
    let mut flash = Flash::new(64 * 1024, Rule::Multiwrite);

    println!("first boot");
    let mounted = Store::mount(
        Overwritable::new(&mut flash),
        Memory::new(),
        &root_key,
        "settings",
    );
    assert_eq!(
        mounted.err(),
        Some(MountError::Unformatted),
        "nothing is formatted silently"
    );
    let medium = Overwritable::new(&mut flash);
    let mut store = Store::format(medium, Memory::new(), &root_key, "settings", &mut SysRng)?;
    store.put(&SERIAL, b"A00017", &mut SysRng)?;
    store.put(&WIFI_PASSWORD, &Secret::new(*b"hunter2hunte"), &mut SysRng)?;
    store.put(&SCHEDULE_OF_OLD, &7, &mut SysRng)?;
    drop(store);

    println!("after an update of the firmware");
    let medium = Overwritable::new(&mut flash);
    let mut store = Store::mount(medium, Memory::new(), &root_key, "settings")?;
    store.upgrade(&SCHEDULE, &mut SysRng)?;
    println!("  {:?}", store.get(&SCHEDULE)?.map(|Serde(schedule)| schedule));
    println!(
        "  the serial number can be changed: {}",
        store.put(&SERIAL, b"B00000", &mut SysRng).is_ok()
    );

    println!("a new owner");
    store.erase(Class::Settings, &mut SysRng)?;
    println!("  the password is there: {}", store.contains(&WIFI_PASSWORD)?);
    println!("  the serial number is there: {}", store.contains(&SERIAL)?);
    println!("{:?}", store.figures());
    Ok(())
}
