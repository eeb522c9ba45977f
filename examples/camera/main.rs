//! A camera beside the thermostat: the page that its users can read, and the next report as it would be sent, with the truth beside it.
//!
//! ```text
//!  cargo run --example camera
//! ```

#[allow(dead_code, unreachable_pub)] // tests share it
mod declaration;

use std::error::Error;

use bydesign::flash::WriteOnce;
use bydesign::flash::simulator::{Rule, Simulator};
use bydesign::secret::RootKey;
use bydesign::store::{Ram, Store};
use bydesign::telemetry::{Gate, Place, Raw, Report, Tally, ThisDevice, Time, dictionary};

use declaration::{Camera, DETECTION, Scene};

fn main() -> Result<(), Box<dyn Error>> {
    let mut page = String::new();
    dictionary::markdown::<Camera>(&mut page)?;
    println!("{page}");

    let mut fuses = [0; 32];
    getrandom::fill(&mut fuses)?;
    let root_key = RootKey::new(fuses)?;
    let mut random = getrandom::SysRng;
    let mut flash = Simulator::<8, 4096>::new(64 * 1024, Rule::WriteOnce);
    let medium = WriteOnce::new(&mut flash);
    let mut store = Store::format(
        medium,
        Ram::<64, 640, 12>::new(),
        &root_key,
        "device",
        &mut random,
    )?;
    let gate = Gate::<Camera>::new();
    let now = Time::of(1_790_000_000);
    gate.grant(&mut store, DETECTION.number, now, &mut random)?;

    // Nobody came on the first day; things moved 93 times in the week.
    let prepared = gate.prepare(&mut store, a_week(now, false, 93), now, &mut random)?;
    println!(
        "The next report, {} bytes, epsilon {}. In truth nobody came on the first day, and things moved 93 times in the week:\n",
        prepared.bytes().len(),
        prepared.epsilon()
    );
    let mut told = Vec::new();
    Scene::SCHEMA.decode(prepared.bytes(), |field, value| {
        println!("  {:10} {value}", field.name);
        told.push(field.name);
    })?;
    assert!(told.contains(&"person") && !told.contains(&"recorded"));
    let cost = prepared.epsilon();
    gate.release(&mut store, prepared, now, &mut random)?;
    let status = gate.status(&mut store, declaration::QUALITY.rules.number, now, &mut random)?;
    println!("\nepsilon spent {}, left {}", status.spent, status.left);
    assert_eq!(status.spent, cost);
    Ok(())
}

/// What a camera has seen in a week.
fn a_week(now: Time, person: bool, moved: u32) -> Scene {
    let (mut restarts, mut motion) = (Tally::new(), Tally::new());
    restarts.add(1);
    motion.add(moved / 10);
    Scene {
        device: Raw::new(ThisDevice),
        week: Raw::new(now),
        firmware: Raw::new(12),
        restarts: Raw::new(restarts),
        person: Raw::new(person),
        motion: Raw::new(motion),
        place: Raw::new(Place {
            latitude: 515_000_000,
            longitude: -1_000_000,
        }),
        recorded: Raw::new(moved * 3),
    }
}
