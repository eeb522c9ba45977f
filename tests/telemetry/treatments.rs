//! Every treatment against the same thing written with plain operators, over readings from all ends of their ranges.

use bydesign::telemetry::noise::{OneBitMean, Unary};
use bydesign::telemetry::{
    AtLeast, Buckets, Budget, Clamped, CoarseTime, ConsentClass, Counts, Dropped, Extremes, Gate, Geohash,
    Grid, Histogram, Noisy, OneOf, Place, Pseudonym, Purpose, Range, Raw, Recipient, Report, Retention,
    Rounded, Sampled, ThisDevice, Time, Value,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use crate::support::{Memory, Nor, Part, format, random};

const CLASS: ConsentClass =
    ConsentClass::new(1, "everything").spending(Budget::new(9_000_000, 9_000_000, 86_400));
const ALL: Purpose = Purpose::new(1, "all", "To see that it works.", &CLASS);
const US: Recipient = Recipient {
    name: "Us",
    role: "maker",
};
const EDGES: [i64; 3] = [0, 10, 1000];

macro_rules! everything {
    ($($(#[doc = $about:literal])+ $name:ident: $reading:ty, $Treatment:ty = $treatment:expr;)+) => {
        bydesign::report! {
            /// One field for each treatment.
            pub(crate) struct Everything {
                report: 1000, "everything", version 300;
                class: CLASS;
                bytes: 128;
                $($(#[doc = $about])+ $name: $reading {
                    purpose: ALL,
                    treatment: $Treatment = $treatment,
                    retention: Retention::Days(1),
                    recipient: US,
                })+
            }
        }
    };
}

everything! {
    /// 0
    clamped: i64, Clamped = Clamped::between(-10, 1000);
    /// 1
    rounded: i32, Rounded = Rounded::to(500).between(5_000, 35_000);
    /// 2
    bucket: u32, Buckets<3> = Buckets::from(&EDGES);
    /// 3
    limit: i16, AtLeast = AtLeast::new(-5);
    /// 4
    kind: u8, OneOf<6> = OneOf;
    /// 5
    time: Time, CoarseTime = CoarseTime::of(3600);
    /// 6
    grid: Place, Grid = Grid::of(10_000_000);
    /// 7
    geohash: Place, Geohash<4> = Geohash::new();
    /// 8
    counts: Histogram<4>, Counts<4> = Counts::to(5, 100);
    /// 9
    range: Extremes, Range = Range::of(Rounded::to(7).between(-70, 70));
    /// 10
    sampled: u8, Sampled<Clamped> = Sampled::one_in(4, Clamped::between(0, 255));
    /// 11
    dropped: u64, Dropped = Dropped;
    /// 12
    device: ThisDevice, Pseudonym = Pseudonym;
    /// 13
    unary: u8, Noisy<Unary<24>> = Noisy::fresh(Unary::with_epsilon::<1, 1>());
    /// 14
    mean: i32, Noisy<OneBitMean> = Noisy::fresh(OneBitMean::with_epsilon::<-50, 50, 1, 1>());
}

bydesign::declaration! {
    /// It alone.
    pub(crate) struct Product: "Everything", version 1 {
        classes: [CLASS],
        purposes: [ALL],
        reports: [Everything],
    }
}

#[derive(Clone, Debug)]
struct Readings {
    clamped: i64,
    rounded: i32,
    bucket: u32,
    limit: i16,
    kind: u8,
    seconds: u64,
    place: (i32, i32),
    window: Vec<i32>,
    other: u8,
}

fn readings() -> impl Strategy<Value = Readings> {
    let wide = prop_oneof![any::<i64>(), -20..1100i64];
    let rounded = prop_oneof![any::<i32>(), 4_000..36_000i32];
    let bucket = prop_oneof![any::<u32>(), 0..1100u32];
    let seconds = prop_oneof![any::<u64>(), 0..2_000_000_000u64];
    let place = prop_oneof![
        any::<(i32, i32)>(),
        (-900_000_000..=900_000_000, -1_800_000_000..=1_800_000_000)
    ];
    let window = proptest::collection::vec(prop_oneof![any::<i32>(), -5..1005i32], 0..300);
    let rest = (any::<i16>(), any::<u8>(), any::<u8>());
    (wide, rounded, bucket, seconds, place, window, rest).prop_map(
        |(clamped, rounded, bucket, seconds, place, window, (limit, kind, other))| Readings {
            clamped,
            rounded,
            bucket,
            limit,
            kind,
            seconds,
            place,
            window,
            other,
        },
    )
}

fn report_of(readings: &Readings) -> Everything {
    let (mut counts, mut range) = (Histogram::new(), Extremes::new());
    for reading in &readings.window {
        counts.add(&Raw::new(*reading), &EDGES);
        range.add(&Raw::new(*reading));
    }
    let place = || {
        Raw::new(Place {
            latitude: readings.place.0,
            longitude: readings.place.1,
        })
    };
    Everything {
        clamped: Raw::new(readings.clamped),
        rounded: Raw::new(readings.rounded),
        bucket: Raw::new(readings.bucket),
        limit: Raw::new(readings.limit),
        kind: Raw::new(readings.kind),
        time: Raw::new(Time::of(readings.seconds)),
        grid: place(),
        geohash: place(),
        counts: Raw::new(counts),
        range: Raw::new(range),
        sampled: Raw::new(readings.other),
        dropped: Raw::new(readings.seconds),
        device: Raw::new(ThisDevice),
        unary: Raw::new(readings.kind),
        mean: Raw::new(readings.rounded),
    }
}

pub(crate) fn nearest(value: i64, step: i64, low: i64, high: i64) -> i64 {
    let above = value.clamp(low, high) - low;
    low + (above + step / 2) / step * step
}

fn bucket_of(value: i64) -> usize {
    EDGES.iter().filter(|edge| value >= **edge).count()
}

fn expected(readings: &Readings) -> Vec<(&'static str, String)> {
    let mut counts = [0i64; 4];
    for reading in &readings.window {
        counts[bucket_of(i64::from(*reading))] += 1;
    }
    let counts = counts
        .map(|count| nearest(count, 5, 0, 100).to_string())
        .join(", ");
    let smallest = readings
        .window
        .iter()
        .min()
        .map_or(i64::MAX, |reading| i64::from(*reading));
    let largest = readings
        .window
        .iter()
        .max()
        .map_or(i64::MIN, |reading| i64::from(*reading));
    let place = readings.place;
    let north = i64::from(place.0).clamp(-900_000_000, 900_000_000) + 900_000_000;
    let east = i64::from(place.1).clamp(-1_800_000_000, 1_800_000_000) + 1_800_000_000;
    vec![
        ("clamped", readings.clamped.clamp(-10, 1000).to_string()),
        (
            "rounded",
            nearest(readings.rounded.into(), 500, 5_000, 35_000).to_string(),
        ),
        ("bucket", format!("choice {}", bucket_of(readings.bucket.into()))),
        (
            "limit",
            if readings.limit >= -5 { "yes" } else { "no" }.to_owned(),
        ),
        ("kind", format!("choice {}", readings.kind.min(5))),
        (
            "time",
            ((readings.seconds & (u64::MAX >> 1)).min(1 << 40) / 3600 * 3600).to_string(),
        ),
        (
            "grid",
            format!(
                "{}, {}",
                north / 10_000_000 * 10_000_000,
                east / 10_000_000 * 10_000_000
            ),
        ),
        ("counts", counts),
        (
            "range",
            format!(
                "{}, {}",
                nearest(smallest, 7, -70, 70),
                nearest(largest, 7, -70, 70)
            ),
        ),
    ]
}

//= compliance/requirements.md#tele-2
//= type=test
//# A report MUST hold no field but those that are declared, and MUST NOT become longer than declared.
#[test]
fn every_treatment_makes_what_it_says_and_no_report_becomes_too_long() {
    let mut part = Nor::<4, 4096>::new(64 * 1024);
    let mut store = format(&mut part, 1);
    let gate = Gate::<Product>::new();
    let now = Time::of(5);
    gate.grant(&mut store, ALL.number, now, &mut random(1)).unwrap();
    let (mut sampled, mut cases, mut longest) = (0, 0, 0);
    let (mut bits, mut means) = (0u32, 0u32);
    let mut source = random(2);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..400 {
        let readings = readings().new_tree(&mut runner).unwrap().current();
        let prepared = gate
            .prepare(&mut store, report_of(&readings), now, &mut source)
            .unwrap();
        let mut found = Vec::new();
        Everything::SCHEMA
            .decode(prepared.bytes(), |field, value| found.push((field, value)))
            .unwrap();
        assert_eq!(
            crate::again::encoded(&Everything::SCHEMA, &found),
            prepared.bytes(),
            "another encoder gives the same bytes"
        );
        assert!(prepared.bytes().len() <= Everything::MAX_BYTES);
        longest = longest.max(prepared.bytes().len());
        for (name, value) in expected(&readings) {
            let (_, sent) = found.iter().find(|(field, _)| field.name == name).expect(name);
            assert_eq!(sent.to_string(), value, "{name} of {readings:?}");
        }
        cases += 1;
        for (field, value) in &found {
            match (field.name, value) {
                ("sampled", value) => {
                    sampled += 1;
                    assert_eq!(*value, Value::Number(readings.other.into()));
                }
                ("unary", Value::Bits(value)) => bits += value.count_ones(),
                ("mean", Value::Truth(value)) => means += u32::from(*value),
                ("dropped", _) => panic!("it is never sent"),
                _ => {}
            }
        }
    }
    assert!((60..140).contains(&sampled), "one in four: {sampled} of {cases}");
    assert!(bits > 1000 && means > 100, "{bits} {means}");
    assert!(
        longest + 25 > Everything::MAX_BYTES,
        "{longest} of {}",
        Everything::MAX_BYTES
    );
}

#[test]
fn geohashes_are_those_of_the_published_examples() {
    let mut part = Nor::<4, 4096>::new(64 * 1024);
    let mut store: bydesign::store::Store<_, Memory> = format(&mut part, 1);
    let gate = Gate::<Product>::new();
    let now = Time::of(5);
    gate.grant(&mut store, ALL.number, now, &mut random(1)).unwrap();
    for (place, geohash) in [
        ((576_491_100, 104_074_400), "u4pr"),
        ((-253_827_080, -492_655_060), "6gkz"),
        ((377_749_000, -1_224_194_000), "9q8y"),
        ((-900_000_000, -1_800_000_000), "0000"),
        ((i32::MAX, i32::MAX), "zzzz"),
    ] {
        let readings = Readings {
            clamped: 0,
            rounded: 0,
            bucket: 0,
            limit: 0,
            kind: 0,
            seconds: 0,
            place,
            window: Vec::new(),
            other: 0,
        };
        let prepared = gate
            .prepare(&mut store, report_of(&readings), now, &mut random(2))
            .unwrap();
        let mut found = None;
        Everything::SCHEMA
            .decode(prepared.bytes(), |field, value| {
                if field.name == "geohash" {
                    found = Some(value.to_string());
                }
            })
            .unwrap();
        assert_eq!(found.as_deref(), Some(geohash));
    }
}
