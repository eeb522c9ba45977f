//! Each treatment of telemetry by itself: a report with one field, prepared; what an empty one takes is in it.
//!
//! ```text
//!  measure
//!    treatments (this file)
//!    meter
//! ```

use bydesign::flash::Overwritable;
use bydesign::secret::RootKey;
use bydesign::store::Store;
use bydesign::telemetry::noise::BinaryResponse;
use bydesign::telemetry::{
    Buckets, Budget, Clamped, CoarseTime, ConsentClass, Gate, Geohash, Grid, Noisy, Place, Pseudonym,
    Purpose, Queueing, Raw, Recipient, Retention, Rounded, ThisDevice, Time,
};
use semihosting::print;

use crate::meter::measured;
use crate::part::Random;
use crate::{Failed, LABEL, Memory, blank};

const DAY: u32 = 86_400;
const EVERY: ConsentClass = ConsentClass::new(1, "all")
    .in_store_class(10)
    .spending(Budget::new(40_000_000, 40_000_000, DAY))
    .queueing(Queueing {
        bytes: 512,
        reports: 16,
        each_day: 16,
        jitter_seconds: 60,
        keep_days: 9,
    })
    .for_epochs_of(DAY);
const MEASURING: Purpose = Purpose::new(1, "measured", "To measure what each treatment takes.", &EVERY);
const NOBODY: Recipient = Recipient {
    name: "Nobody",
    role: "nowhere",
};

macro_rules! one_field {
    ($($module:ident, $number:literal: $reading:ty, $kind:ty = $treatment:expr;)*) => {
        $(mod $module {
            #![allow(unused_imports, dead_code, unreachable_pub)]
            use super::*;
            bydesign::report! {
                /// A report of one field.
                pub(super) struct One {
                    report: $number, "one", version 1;
                    class: EVERY;
                    bytes: 40;

                    /// The field.
                    value: $reading {
                        purpose: MEASURING,
                        treatment: $kind = $treatment,
                        retention: Retention::Days(1),
                        recipient: NOBODY,
                    }
                }
            }
        })*
        bydesign::declaration! {
            /// One report for each treatment.
            pub(super) struct Each: "measured", version 1 {
                classes: [EVERY],
                purposes: [MEASURING],
                reports: [$($module::One),*],
            }
        }
    };
}

one_field! {
    clamped, 1: i32, Clamped = Clamped::between(0, 100);
    rounded, 2: i32, Rounded = Rounded::to(500).between(5_000, 35_000);
    buckets, 3: i32, Buckets<2> = Buckets::from(&[10, 20]);
    coarse_time, 4: Time, CoarseTime = CoarseTime::of(DAY);
    grid, 5: Place, Grid = Grid::of(10_000_000);
    geohash, 6: Place, Geohash<2> = Geohash::new();
    pseudonym, 7: ThisDevice, Pseudonym = Pseudonym;
    response, 8: bool, Noisy<BinaryResponse> = Noisy::fresh(BinaryResponse::with_epsilon::<1, 1>());
}

fn place() -> Place {
    Place {
        latitude: 52_200_000,
        longitude: 120_000,
    }
}

pub(crate) fn all(root_key: &RootKey) -> Result<(), Failed> {
    print!("# report of one field, prepared\n");
    let mut random = Random::new(3);
    let made = Store::format(
        Overwritable::new(blank()),
        Memory::new(),
        root_key,
        LABEL,
        &mut random,
    );
    let mut store = made.map_err(|_| "format")?;
    let gate = Gate::<Each>::new();
    let now = Time::of(1_790_000_000);
    gate.grant(&mut store, MEASURING.number, now, &mut random)
        .map_err(|_| "grant")?;
    macro_rules! prepare {
        ($($name:literal, $module:ident, $value:expr;)*) => {$(
            let report = $module::One { value: Raw::new($value) };
            let prepared = measured($name, || gate.prepare(&mut store, report, now, &mut random));
            prepared.map(drop).map_err(|_| $name)?;
        )*};
    }
    prepare! {
        "clamped", clamped, 70;
        "rounded", rounded, 21_300;
        "buckets", buckets, 15;
        "coarse time", coarse_time, now;
        "grid", grid, place();
        "geohash", geohash, place();
        "pseudonym", pseudonym, ThisDevice;
        "randomised response", response, true;
    }
    Ok(())
}
