//! What the example camera tells, and nothing else. It sees who comes and goes, so that all it says of people is noise, and its budget ends after a
//! year.

use bydesign::telemetry::noise::{BinaryResponse, DiscreteLaplace};
use bydesign::telemetry::{
    Buckets, Budget, Clamped, CoarseTime, ConsentClass, Dropped, Grid, Noisy, Place, Pseudonym, Purpose,
    Recipient, Retention, Sampled, Tally, ThisDevice, Time,
};

const WEEK: u32 = 7 * 86_400;

pub const QUALITY: ConsentClass = ConsentClass::new(1, "quality")
    .in_store_class(10)
    .spending(Budget::new(26_000_000, 500_000, WEEK))
    .for_epochs_of(WEEK);
pub const DETECTION: Purpose = Purpose::new(
    1,
    "detection",
    "To find out how often the camera takes something for a person.",
    &QUALITY,
);
const MAKER: Recipient = Recipient {
    name: "Example Cameras Ltd",
    role: "maker",
};

bydesign::report! {
    /// A week in front of the camera.
    pub struct Scene {
        report: 1, "scene", version 1;
        class: QUALITY;
        bytes: 40;
        /// A name for the week.
        device: ThisDevice {
            purpose: DETECTION,
            treatment: Pseudonym = Pseudonym,
            retention: Retention::Days(60),
            recipient: MAKER,
        }
        /// The week.
        week: Time {
            purpose: DETECTION,
            treatment: CoarseTime = CoarseTime::of(WEEK),
            retention: Retention::Days(60),
            recipient: MAKER,
        }
        /// Version of the firmware.
        firmware: u16 {
            purpose: DETECTION,
            treatment: Clamped = Clamped::between(0, 99),
            retention: Retention::Days(60),
            recipient: MAKER,
        }
        /// Restarts.
        restarts: Tally {
            purpose: DETECTION,
            treatment: Buckets<2> = Buckets::from(&[1, 5]),
            retention: Retention::Days(60),
            recipient: MAKER,
        }
        /// Whether a person was seen on the first day.
        person: bool {
            purpose: DETECTION,
            treatment: Noisy<BinaryResponse> = Noisy::for_an_epoch(BinaryResponse::with_epsilon::<1, 4>()),
            retention: Retention::UntilAggregated(30),
            recipient: MAKER,
        }
        /// How often something moved, in tens.
        motion: Tally {
            purpose: DETECTION,
            treatment: Noisy<DiscreteLaplace<50>> = Noisy::for_an_epoch(DiscreteLaplace::with_epsilon::<0, 1, 4>()),
            retention: Retention::UntilAggregated(30),
            recipient: MAKER,
        }
        /// Where it stands.
        place: Place {
            purpose: DETECTION,
            treatment: Sampled<Grid> = Sampled::one_in(10, Grid::of(20_000_000)),
            retention: Retention::Days(60),
            recipient: MAKER,
        }
        /// What was recorded.
        recorded: u32 {
            purpose: DETECTION,
            treatment: Dropped = Dropped,
            retention: Retention::Days(0),
            recipient: MAKER,
        }
    }
}

bydesign::declaration! {
    /// All that the camera tells.
    pub struct Camera: "Example camera", version 1 {
        classes: [QUALITY],
        purposes: [DETECTION],
        reports: [Scene],
    }
}
