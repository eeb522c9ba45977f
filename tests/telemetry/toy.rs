//! A small product that has every kind of noise, and what the tests do with it.

use bydesign::flash::NeverPends;
use bydesign::store::Store;
use bydesign::telemetry::noise::{BinaryResponse, DiscreteLaplace, Response};
use bydesign::telemetry::{
    Basis, Budget, Clamped, ConsentClass, Gate, GateError, Noisy, Pseudonym, Purpose, Queueing, Raw,
    Recipient, Report, Retention, Rounded, ThisDevice, Time, Value,
};
use rand_core::TryCryptoRng;

use crate::support::{Memory, random};

pub(crate) const DAY: u64 = 86_400;
pub(crate) const QUEUEING: Queueing = Queueing {
    bytes: 80,
    reports: 4,
    each_day: 3,
    jitter_seconds: 600,
    keep_days: 5,
};
/// Three million in the life of the device, one million in two days.
pub(crate) const BUDGET: Budget = Budget::new(3_000_000, 1_000_000, 2 * 86_400);
pub(crate) const HOUSE: ConsentClass = ConsentClass::new(1, "house")
    .in_store_class(10)
    .spending(BUDGET)
    .queueing(QUEUEING)
    .for_epochs_of(86_400);
pub(crate) const RECORDS: ConsentClass = ConsentClass::new(2, "records").on(Basis::OptOut);
pub(crate) const COMFORT: Purpose = Purpose::new(1, "comfort", "To be warm.", &HOUSE);
pub(crate) const HABITS: Purpose = Purpose::new(2, "habits", "To be warm when somebody is there.", &HOUSE);
pub(crate) const SAFETY: Purpose = Purpose::new(3, "safety", "To be safe.", &RECORDS);
pub(crate) const US: Recipient = Recipient {
    name: "Us",
    role: "maker",
};

/// What the first report of an epoch costs: one answer for the epoch, four for the values, one fresh.
pub(crate) const FIRST: u64 = 250_000 + 4 * 100_000 + 100_000;
/// What every other one costs.
pub(crate) const OTHER: u64 = 100_000;

bydesign::report! {
    /// Of a house.
    pub(crate) struct House {
        report: 1, "house", version 1;
        class: HOUSE;
        bytes: 24;
        /// Which house.
        device: ThisDevice {
            purpose: COMFORT,
            treatment: Pseudonym = Pseudonym,
            retention: Retention::Days(1),
            recipient: US,
        }
        /// How warm.
        warm: i32 {
            purpose: COMFORT,
            treatment: Rounded = Rounded::to(500).between(5_000, 35_000),
            retention: Retention::Days(1),
            recipient: US,
        }
        /// Whether somebody is at home.
        home: bool {
            purpose: HABITS,
            treatment: Noisy<BinaryResponse> = Noisy::for_an_epoch(BinaryResponse::with_epsilon::<1, 4>()),
            retention: Retention::Days(1),
            recipient: US,
        }
        /// What they do.
        mode: u8 {
            purpose: HABITS,
            treatment: Noisy<Response<4>> = Noisy::for_each_value(Response::with_epsilon::<1, 10>()),
            retention: Retention::Days(1),
            recipient: US,
        }
        /// How often.
        often: u16 {
            purpose: HABITS,
            treatment: Noisy<DiscreteLaplace<8>> = Noisy::fresh(DiscreteLaplace::with_epsilon::<0, 1, 10>()),
            retention: Retention::Days(1),
            recipient: US,
        }
    }
}

bydesign::report! {
    /// Of its safety.
    pub(crate) struct Safety {
        report: 2, "safety", version 7;
        class: RECORDS;
        bytes: 8;
        /// Alarms.
        alarms: u8 {
            purpose: SAFETY,
            treatment: Clamped = Clamped::between(0, 9),
            retention: Retention::Days(1),
            recipient: US,
        }
    }
}

bydesign::declaration! {
    /// All of it.
    pub(crate) struct Toy: "Toy house", version 4 {
        classes: [HOUSE, RECORDS],
        purposes: [COMFORT, HABITS, SAFETY],
        reports: [House, Safety],
    }
}

pub(crate) const GATE: Gate<Toy> = Gate::new();

pub(crate) fn house(home: bool, mode: u8) -> House {
    House {
        device: Raw::new(ThisDevice),
        warm: Raw::new(21_530),
        home: Raw::new(home),
        mode: Raw::new(mode),
        often: Raw::new(3),
    }
}

pub(crate) fn safety(alarms: u8) -> Safety {
    Safety {
        alarms: Raw::new(alarms),
    }
}

pub(crate) fn day(number: u64) -> Time {
    Time::of(number * DAY)
}

pub(crate) fn agree<M: NeverPends>(store: &mut Store<M, Memory>) {
    for purpose in [COMFORT, HABITS] {
        GATE.grant(store, purpose.number, day(0), &mut random(1))
            .expect("agrees");
    }
}

/// All reports that wait, long after they are due, in their order.
pub(crate) fn send_all<M: NeverPends, R: TryCryptoRng>(
    store: &mut Store<M, Memory>,
    now: Time,
    random: &mut R,
) -> Result<Vec<Vec<u8>>, GateError> {
    let (mut sent, mut out) = (Vec::new(), [0; 64]);
    let later = Time::of(now.seconds + 600);
    while let Some(waiting) = GATE.next(store, later, &mut out, random)? {
        sent.push(out[..waiting.len()].to_vec());
        GATE.acknowledge(store, waiting, random)?;
    }
    Ok(sent)
}

/// What a report of the house says, field by field.
pub(crate) fn fields(report: &[u8]) -> Vec<(&'static str, String)> {
    let mut fields = Vec::new();
    House::SCHEMA
        .decode(report, |field, value: Value<'_>| {
            fields.push((field.name, value.to_string()));
        })
        .expect("decodes");
    fields
}

/// What one field of it says.
pub(crate) fn field(report: &[u8], name: &str) -> Option<String> {
    fields(report)
        .into_iter()
        .find_map(|(field, value)| (field == name).then_some(value))
}
