//! A thermostat that tells its maker what it declares, to a user who is asked, looks, agrees, and changes their mind:
//!
//! ```text
//!  cargo run --example thermostat
//! ```

#[allow(dead_code, unreachable_pub)] // tests share it
mod declaration;

use std::error::Error;

use bydesign::flash::Overwritable;
use bydesign::flash::simulator::{Rule, Simulator};
use bydesign::secret::RootKey;
use bydesign::store::{Ram, Store};
use bydesign::telemetry::signals::{SecurityEvent, Signals};
use bydesign::telemetry::{
    Baseline, Extremes, Gate, GateError, Histogram, Place, Raw, Report, Tally, Time, schema_of,
};

use declaration::{COMFORT, COMFORTABLE, Climate, HABITS, HEATING, Security, Thermostat};

const WEEK: u64 = 7 * 86_400;

fn main() -> Result<(), Box<dyn Error>> {
    let mut fuses = [0; 32];
    getrandom::fill(&mut fuses)?;
    let root_key = RootKey::new(fuses)?;
    let mut random = getrandom::SysRng;
    let mut flash = Simulator::<4, 4096>::new(64 * 1024, Rule::Multiwrite);
    let memory = Ram::<64, 512, 12>::new();
    let mut store = Store::format(
        Overwritable::new(&mut flash),
        memory,
        &root_key,
        "device",
        &mut random,
    )?;
    let gate = Gate::<Thermostat>::new();
    let mut now = Time::of(1_790_000_000);

    // Off until the user says otherwise: asked about each purpose, in words that are made of the declaration.
    let refused = gate.submit(&mut store, a_week(now), now, &mut random);
    println!("before anybody was asked: {refused:?}");
    assert_eq!(refused, Err(GateError::NoConsent));
    for purpose in [HEATING, HABITS] {
        println!("asked: {} Agreed.", purpose.why);
        gate.grant(&mut store, purpose.number, now, &mut random)?;
    }

    // The settings screen: what the next report says, byte by byte.
    let preview = gate.prepare(&mut store, a_week(now), now, &mut random)?;
    println!(
        "\nthe next report, {} bytes, epsilon {}:",
        preview.bytes().len(),
        preview.epsilon()
    );
    Climate::SCHEMA.decode(preview.bytes(), |field, value| {
        println!("  {:12} {value}", field.name);
    })?;
    gate.release(&mut store, preview, now, &mut random)?;

    // A year of weeks; the radio takes what is due.
    let (mut sent, mut bytes, mut out) = (0, 0, [0; 128]);
    for _ in 0..52 {
        now = Time::of(now.seconds + WEEK);
        gate.submit(&mut store, a_week(now), now, &mut random)?;
        while let Some(waiting) = gate.next(&mut store, now, &mut out, &mut random)? {
            let report = &out[..waiting.len()];
            schema_of::<Thermostat>(report)?.decode(report, |_, _| {})?;
            sent += 1;
            bytes += report.len();
            gate.acknowledge(&mut store, waiting, &mut random)?;
        }
    }
    let status = gate.status(&mut store, COMFORT.rules.number, now, &mut random)?;
    println!(
        "\nafter a year: {sent} reports, {bytes} bytes; epsilon spent {}, left {}",
        status.spent, status.left
    );
    println!(
        "what was spent can{} have been set back with the flash",
        match status.freshness {
            bydesign::store::Freshness::Unanchored => "",
            _ => "not",
        }
    );

    // Security events: looked at on the device, and told in coarse counts.
    let (mut signals, mut logins) = (Signals::new(), Baseline::new());
    for hour in 0..200 {
        logins.observe(hour % 2);
    }
    (0..40).for_each(|_| signals.record(SecurityEvent::FailedLogin));
    println!("\n40 failed logins in an hour: {:?}", logins.observe(40));
    let readings = signals.take();
    let security = Security {
        failed_logins: readings.failed_logins,
        limiter_trips: readings.limiter_trips,
        update_failures: readings.update_failures,
        unexpected_resets: readings.unexpected_resets,
        store: readings.store,
    };
    gate.submit(&mut store, security, now, &mut random)?;

    // The user changes their mind.
    let before = gate
        .status(&mut store, COMFORT.rules.number, now, &mut random)?
        .waiting;
    gate.withdraw(&mut store, HABITS.number, now, &mut random)?;
    gate.withdraw(&mut store, HEATING.number, now, &mut random)?;
    let after = gate.status(&mut store, COMFORT.rules.number, now, &mut random)?;
    println!(
        "withdrawn: {before} reports waited, {} do; spent is still {}",
        after.waiting, after.spent
    );
    assert_eq!(
        (after.waiting, after.is_open, after.spent),
        (0, false, status.spent)
    );
    Ok(())
}

/// What a thermostat measures in a week.
fn a_week(now: Time) -> Climate {
    let (mut extremes, mut quarters) = (Extremes::new(), Histogram::new());
    let (mut starts, mut changes) = (Tally::new(), Tally::new());
    let mut sum = 0;
    for quarter in 0..672 {
        let is_night = quarter % 96 < 24;
        let temperature = if is_night { 16_800 } else { 20_400 } + (quarter * 37 % 400);
        sum += temperature;
        extremes.add(&Raw::new(temperature));
        quarters.add(&Raw::new(temperature), &COMFORTABLE);
    }
    starts.add(84);
    changes.add(3);
    Climate {
        week: Raw::new(now),
        temperature: Raw::new(sum / 672),
        extremes: Raw::new(extremes),
        quarters: Raw::new(quarters),
        starts: Raw::new(starts),
        place: Raw::new(Place {
            latitude: 538_000_000,
            longitude: -15_500_000,
        }),
        at_home: Raw::new(false),
        changes: Raw::new(changes),
        programme: Raw::new(0x0630_2200),
    }
}
