//! What these devices tell their maker, and nothing else: the same for all models, because it is about power and locks.

use bydesign::telemetry::noise::BinaryResponse;
use bydesign::telemetry::signals::EVENTS;
use bydesign::telemetry::{
    Buckets, Budget, CoarseTime, ConsentClass, Dropped, Noisy, Purpose, Queueing, Recipient, Retention,
    Tally, Time,
};

/// Seconds.
pub(crate) const WEEK: u32 = 7 * 86_400;

/// Epsilon 0.75 in four weeks, and 4 in the life of a device.
pub(crate) const CARE: ConsentClass = ConsentClass::new(1, "care")
    .in_store_class(10)
    .spending(Budget::new(4_000_000, 750_000, 4 * WEEK))
    .queueing(Queueing {
        bytes: 512,
        reports: 16,
        each_day: 2,
        jitter_seconds: 6 * 3600,
        keep_days: 120,
    })
    .for_epochs_of(4 * WEEK);

pub(crate) const REPAIR: Purpose = Purpose::new(
    1,
    "repair",
    "To find out whether devices like yours lose power or are attacked more often than others.",
    &CARE,
);
pub(crate) const HABITS: Purpose = Purpose::new(
    2,
    "habits",
    "To decide whether devices like yours need a mode for the night.",
    &CARE,
);

const MAKER: Recipient = Recipient {
    name: "Example Devices Ltd",
    role: "maker of the device; Leeds, UK",
};

bydesign::report! {
    /// One week of a device.
    pub(crate) struct Weekly {
        report: 1, "week", version 1;
        class: CARE;
        bytes: 24;

        /// The week.
        week: Time {
            purpose: REPAIR,
            treatment: CoarseTime = CoarseTime::of(WEEK),
            retention: Retention::Days(400),
            recipient: MAKER,
        }
        /// How often power went.
        cuts: Tally {
            purpose: REPAIR,
            treatment: Buckets<4> = EVENTS,
            retention: Retention::Days(400),
            recipient: MAKER,
        }
        /// Passwords and codes that were wrong.
        failed_logins: Tally {
            purpose: REPAIR,
            treatment: Buckets<4> = EVENTS,
            retention: Retention::Days(400),
            recipient: MAKER,
        }
        /// Whether somebody used the device between midnight and five.
        by_night: bool {
            purpose: HABITS,
            treatment: Noisy<BinaryResponse> = Noisy::for_an_epoch(BinaryResponse::with_epsilon::<1, 4>()),
            retention: Retention::UntilAggregated(60),
            recipient: MAKER,
        }
        /// What the device is called by those who live with it.
        name: u32 {
            purpose: HABITS,
            treatment: Dropped = Dropped,
            retention: Retention::Days(0),
            recipient: MAKER,
        }
    }
}

bydesign::declaration! {
    /// All that a device tells its maker.
    pub(crate) struct Household: "Example devices", version 1 {
        classes: [CARE],
        purposes: [REPAIR, HABITS],
        reports: [Weekly],
    }
}
