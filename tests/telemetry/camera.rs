//! A camera, which sees who comes and goes: what it tells of a week, and what Mallory makes of a year of that.

use std::collections::BTreeSet;

use bydesign::telemetry::noise::{BinaryResponse, DiscreteLaplace};
use bydesign::telemetry::{
    Buckets, Budget, Clamped, CoarseTime, ConsentClass, Dropped, Gate, Grid, Noisy, Place, Pseudonym,
    Purpose, Raw, Recipient, Report, Retention, Sampled, Tally, ThisDevice, Time, Value,
};
use chacha20::rand_core::Rng;

use crate::support::{Nor, Part, format, random};
use crate::year::WEEK;

const QUALITY: ConsentClass = ConsentClass::new(1, "quality")
    .in_store_class(10)
    .spending(Budget::new(26_000_000, 500_000, 7 * 86_400))
    .for_epochs_of(7 * 86_400);
const DETECTION: Purpose = Purpose::new(
    1,
    "detection",
    "To find out how often the camera takes something for a person.",
    &QUALITY,
);
const US: Recipient = Recipient {
    name: "Example Cameras Ltd",
    role: "maker",
};

bydesign::report! {
    /// A week in front of the camera.
    struct Scene {
        report: 1, "scene", version 1;
        class: QUALITY;
        bytes: 40;
        /// A name for the week.
        device: ThisDevice {
            purpose: DETECTION,
            treatment: Pseudonym = Pseudonym,
            retention: Retention::Days(60),
            recipient: US,
        }
        /// The week.
        week: Time {
            purpose: DETECTION,
            treatment: CoarseTime = CoarseTime::of(7 * 86_400),
            retention: Retention::Days(60),
            recipient: US,
        }
        /// Version of the firmware.
        firmware: u16 {
            purpose: DETECTION,
            treatment: Clamped = Clamped::between(0, 99),
            retention: Retention::Days(60),
            recipient: US,
        }
        /// Restarts.
        restarts: Tally {
            purpose: DETECTION,
            treatment: Buckets<2> = Buckets::from(&[1, 5]),
            retention: Retention::Days(60),
            recipient: US,
        }
        /// Whether a person was seen on the first day.
        person: bool {
            purpose: DETECTION,
            treatment: Noisy<BinaryResponse> = Noisy::for_an_epoch(BinaryResponse::with_epsilon::<1, 4>()),
            retention: Retention::UntilAggregated(30),
            recipient: US,
        }
        /// How often something moved, in tens.
        motion: Tally {
            purpose: DETECTION,
            treatment: Noisy<DiscreteLaplace<50>> = Noisy::for_an_epoch(DiscreteLaplace::with_epsilon::<0, 1, 4>()),
            retention: Retention::UntilAggregated(30),
            recipient: US,
        }
        /// Where it stands.
        place: Place {
            purpose: DETECTION,
            treatment: Sampled<Grid> = Sampled::one_in(10, Grid::of(20_000_000)),
            retention: Retention::Days(60),
            recipient: US,
        }
        /// What was recorded.
        recorded: u32 {
            purpose: DETECTION,
            treatment: Dropped = Dropped,
            retention: Retention::Days(0),
            recipient: US,
        }
    }
}

bydesign::declaration! {
    /// All that the camera tells.
    struct Camera: "Example camera", version 1 {
        classes: [QUALITY],
        purposes: [DETECTION],
        reports: [Scene],
    }
}

/// A week: whether somebody was there on the first day, movements on it, and what was sent.
struct Week {
    person: bool,
    moved: u32,
    name: String,
    told: bool,
    motion: i64,
}

fn year(seed: u64) -> Vec<Week> {
    let mut part = Nor::<4, 4096>::new(32 * 1024);
    let mut store = format(&mut part, seed);
    let mut source = random(seed + 77);
    let gate = Gate::<Camera>::new();
    let begin = 1_735_689_600 / WEEK * WEEK;
    gate.grant(&mut store, DETECTION.number, Time::of(begin), &mut source)
        .expect("agrees");
    let mut weeks = Vec::new();
    for number in 0..52 {
        let now = Time::of(begin + number * WEEK);
        let person = source.next_u32().is_multiple_of(2);
        let day = |source: &mut dyn FnMut() -> u32, there: bool| {
            2 + source() % 4 + if there { 12 + source() % 20 } else { 0 }
        };
        let mut draw = || source.next_u32();
        let moved = day(&mut draw, person);
        let rest: u32 = (1..7)
            .map(|_| {
                let there = draw() % 2 == 0;
                day(&mut draw, there)
            })
            .sum();
        let tally = |count: u32| {
            let mut tally = Tally::new();
            tally.add(count);
            Raw::new(tally)
        };
        let scene = Scene {
            device: Raw::new(ThisDevice),
            week: Raw::new(now),
            firmware: Raw::new(12),
            restarts: tally(u32::from(source.next_u32().is_multiple_of(9))),
            person: Raw::new(person),
            motion: tally((moved + rest) / 10),
            place: Raw::new(Place {
                latitude: 515_000_000,
                longitude: -1_000_000,
            }),
            recorded: Raw::new(moved * 3),
        };
        let prepared = gate
            .prepare(&mut store, scene, now, &mut source)
            .expect("prepares");
        let mut week = Week {
            person,
            moved,
            name: String::new(),
            told: false,
            motion: 0,
        };
        Scene::SCHEMA
            .decode(prepared.bytes(), |field, value| match (field.name, value) {
                ("device", name) => week.name = name.to_string(),
                ("person", Value::Truth(told)) => week.told = told,
                ("motion", Value::Number(motion)) => week.motion = motion,
                _ => {}
            })
            .expect("decodes");
        gate.release(&mut store, prepared, now, &mut source)
            .expect("releases");
        weeks.push(week);
    }
    weeks
}

#[test]
fn mallory_neither_links_the_weeks_of_a_camera_nor_learns_who_was_there() {
    let cameras: Vec<Vec<Week>> = (0..60).map(year).collect();
    let weeks: Vec<&Week> = cameras.iter().flatten().collect();
    let names: BTreeSet<_> = weeks.iter().map(|week| &week.name).collect();
    assert_eq!(
        names.len(),
        weeks.len(),
        "no name comes twice, of any camera or week"
    );

    // What was told, and more movement speaks for somebody; both weighed by what they are worth.
    let guess = |week: &Week| {
        let told = if week.told { 0.25 } else { -0.25 };
        let moved = (week.motion as f64 - 9.0) * 0.25 / 50.0;
        told + moved > 0.0
    };
    let share = |right: usize| right as f64 / weeks.len() as f64;
    let treated = share(weeks.iter().filter(|week| guess(week) == week.person).count());
    let untreated = share(
        weeks
            .iter()
            .filter(|week| (week.moved > 8) == week.person)
            .count(),
    );
    let stated = 0.5_f64.exp() / (1.0 + 0.5_f64.exp());
    println!("who was there: treated {treated:.3}, stated bound {stated:.3}, untreated {untreated:.3}");
    assert!(treated <= stated, "{treated} beyond {stated}");
    assert!(treated > 0.5, "something is told: {treated}");
    assert!(untreated > 0.95, "the attack works: {untreated}");
}
