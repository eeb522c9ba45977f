//! What the example thermostat tells, and nothing else. The dictionary for its users is made of this file.

use bydesign::telemetry::noise::{BinaryResponse, DiscreteLaplace};
use bydesign::telemetry::signals::{EVENTS, VERDICT};
use bydesign::telemetry::{
    Basis, Buckets, Budget, Clamped, CoarseTime, ConsentClass, Counts, Dropped, Extremes, Geohash, Histogram,
    Noisy, OneOf, Place, Pseudonym, Purpose, Queueing, Range, Recipient, Retention, Rounded, Tally,
    ThisDevice, Time,
};

const WEEK: u32 = 7 * 86_400;

const WEEKLY: Queueing = Queueing {
    bytes: 1024,
    reports: 16,
    each_day: 2,
    jitter_seconds: 6 * 3600,
    keep_days: 60,
};

/// How the heating is used. Epsilon 0.75 in four weeks, and 9.75 in the life of the device: after a year there is no noisy answer left.
pub const COMFORT: ConsentClass = ConsentClass::new(1, "comfort")
    .in_store_class(10)
    .spending(Budget::new(9_750_000, 750_000, 4 * WEEK))
    .queueing(WEEKLY)
    .for_epochs_of(4 * WEEK);
/// What breaks.
pub const DIAGNOSTICS: ConsentClass = ConsentClass::new(2, "diagnostics")
    .in_store_class(11)
    .queueing(WEEKLY)
    .for_epochs_of(4 * WEEK);
/// Records of security-relevant activity.
pub const SECURITY: ConsentClass = ConsentClass::new(3, "security")
    .in_store_class(12)
    .on(Basis::OptOut)
    .queueing(WEEKLY)
    .for_epochs_of(4 * WEEK);

pub const HEATING: Purpose = Purpose::new(
    1,
    "heating",
    "To find out how well the heating curve fits the houses that it heats.",
    &COMFORT,
);
pub const HABITS: Purpose = Purpose::new(
    2,
    "habits",
    "To choose the programme that new thermostats come with.",
    &COMFORT,
);
pub const REPAIR: Purpose = Purpose::new(
    3,
    "repair",
    "To find faults that many devices have, and mend them by an update.",
    &DIAGNOSTICS,
);
pub const PROTECTION: Purpose = Purpose::new(
    4,
    "protection",
    "To notice attacks on devices like yours.",
    &SECURITY,
);

const MAKER: Recipient = Recipient {
    name: "Example Heating Ltd",
    role: "maker of the device; Leeds, UK",
};

/// Edges of the ranges of temperature, in thousandths of a degree.
pub const COMFORTABLE: [i64; 3] = [17_000, 19_000, 21_000];

bydesign::report! {
    /// How the heating was used in one week. It names no device: reports of different weeks share nothing that says so.
    pub struct Climate {
        report: 1, "climate", version 1;
        class: COMFORT;
        bytes: 48;

        /// The week.
        week: Time {
            purpose: HEATING,
            treatment: CoarseTime = CoarseTime::of(WEEK),
            retention: Retention::Days(400),
            recipient: MAKER,
        }
        /// Mean temperature of the room, in thousandths of a degree Celsius.
        temperature: i32 {
            purpose: HEATING,
            treatment: Rounded = Rounded::to(2_000).between(6_000, 34_000),
            retention: Retention::Days(400),
            recipient: MAKER,
        }
        /// Lowest and highest temperature of the room, in thousandths of a degree Celsius.
        extremes: Extremes {
            purpose: HEATING,
            treatment: Range = Range::of(Rounded::to(5_000).between(0, 40_000)),
            retention: Retention::Days(400),
            recipient: MAKER,
        }
        /// Quarters of an hour below 17, from 17 to 19, from 19 to 21, and above 21 degrees Celsius.
        quarters: Histogram<4> {
            purpose: HEATING,
            treatment: Counts<4> = Counts::to(336, 672),
            retention: Retention::UntilAggregated(60),
            recipient: MAKER,
        }
        /// How often the burner was started.
        starts: Tally {
            purpose: HEATING,
            treatment: Buckets<3> = Buckets::from(&[1, 50, 200]),
            retention: Retention::Days(400),
            recipient: MAKER,
        }
        /// Where the device is.
        place: Place {
            purpose: HEATING,
            treatment: Geohash<2> = Geohash::new(),
            retention: Retention::Days(400),
            recipient: MAKER,
        }
        /// Whether anybody was at home at noon on the first day of the week.
        at_home: bool {
            purpose: HABITS,
            treatment: Noisy<BinaryResponse> = Noisy::for_an_epoch(BinaryResponse::with_epsilon::<1, 2>()),
            retention: Retention::UntilAggregated(60),
            recipient: MAKER,
        }
        /// How often somebody changed the temperature by hand, up to 20 times.
        changes: Tally {
            purpose: HABITS,
            treatment: Noisy<DiscreteLaplace<20>> = Noisy::for_an_epoch(DiscreteLaplace::with_epsilon::<0, 1, 4>()),
            retention: Retention::UntilAggregated(60),
            recipient: MAKER,
        }
        /// When the heating is to be warm, as the user has set it.
        programme: u32 {
            purpose: HABITS,
            treatment: Dropped = Dropped,
            retention: Retention::Days(0),
            recipient: MAKER,
        }
    }
}

bydesign::report! {
    /// Faults of one week.
    pub struct Faults {
        report: 2, "faults", version 1;
        class: DIAGNOSTICS;
        bytes: 32;

        /// A name for the device, so that one device with many faults is not taken for many.
        device: ThisDevice {
            purpose: REPAIR,
            treatment: Pseudonym = Pseudonym,
            retention: Retention::Days(60),
            recipient: MAKER,
        }
        /// Version of the firmware.
        firmware: u16 {
            purpose: REPAIR,
            treatment: Clamped = Clamped::between(0, 999),
            retention: Retention::Days(400),
            recipient: MAKER,
        }
        /// The fault: none, sensor, burner, valve, radio, another one.
        fault: u8 {
            purpose: REPAIR,
            treatment: OneOf<6> = OneOf,
            retention: Retention::Days(400),
            recipient: MAKER,
        }
        /// How often it came.
        times: Tally {
            purpose: REPAIR,
            treatment: Buckets<3> = Buckets::from(&[1, 5, 25]),
            retention: Retention::Days(400),
            recipient: MAKER,
        }
    }
}

bydesign::report! {
    /// Security events of one week.
    pub struct Security {
        report: 3, "security", version 1;
        class: SECURITY;
        bytes: 16;

        /// Logins and pairings that were wrong.
        failed_logins: Tally {
            purpose: PROTECTION,
            treatment: Buckets<4> = EVENTS,
            retention: Retention::Days(400),
            recipient: MAKER,
        }
        /// Attempts that a limiter refused.
        limiter_trips: Tally {
            purpose: PROTECTION,
            treatment: Buckets<4> = EVENTS,
            retention: Retention::Days(400),
            recipient: MAKER,
        }
        /// Updates that were refused or not completed.
        update_failures: Tally {
            purpose: PROTECTION,
            treatment: Buckets<4> = EVENTS,
            retention: Retention::Days(400),
            recipient: MAKER,
        }
        /// Restarts that nobody asked for.
        unexpected_resets: Tally {
            purpose: PROTECTION,
            treatment: Buckets<4> = EVENTS,
            retention: Retention::Days(400),
            recipient: MAKER,
        }
        /// What the store said of itself: fresh, unanchored, set back, damaged, other.
        store: u8 {
            purpose: PROTECTION,
            treatment: OneOf<5> = VERDICT,
            retention: Retention::Days(400),
            recipient: MAKER,
        }
    }
}

bydesign::declaration! {
    /// All that the thermostat tells its maker.
    pub struct Thermostat: "Example thermostat", version 1 {
        classes: [COMFORT, DIAGNOSTICS, SECURITY],
        purposes: [HEATING, HABITS, REPAIR, PROTECTION],
        reports: [Climate, Faults, Security],
    }
}
