//! Bytes of a report, against the same data as it is sent today: the table of `docs/telemetry-sizes.md`. `BYDESIGN_WRITE=1` writes it anew.

use std::fmt::Write as _;

use bydesign::telemetry::{Report, Time};

use crate::cameras::Scene;
use crate::dictionary::compared;
use crate::thermostat::{Climate, Faults, Security};
use crate::untreated::{Fields, cbor, json};
use crate::year::{BEGIN, Device};

const HEAD: &str = "# Bytes of a report

Written by `BYDESIGN_WRITE=1 cargo test --test telemetry sizes` and compared by `cargo test --test telemetry`. Means over a simulated year of weekly reports of
the two products of `examples/`, against the same data as it is sent today: as it was measured, with a serial number and the time. What no report of the
kind is longer than is known to the compiler; the declaration states it, and a longer one does not compile.

| report | treated | at most | untreated CBOR, without names of fields | untreated CBOR, with names | untreated JSON |
| --- | ---: | ---: | ---: | ---: | ---: |
";

/// Means: of the report, and of the three ways to send the same untreated.
fn means(weeks: &[(Fields, usize)]) -> [f64; 4] {
    let mean = |len: &dyn Fn(&(Fields, usize)) -> usize| {
        weeks.iter().map(len).sum::<usize>() as f64 / weeks.len() as f64
    };
    [
        mean(&|(_, treated)| *treated),
        mean(&|(fields, _)| cbor(fields, false).len()),
        mean(&|(fields, _)| cbor(fields, true).len()),
        mean(&|(fields, _)| json(fields).len()),
    ]
}

#[test]
fn a_report_is_a_fraction_of_the_same_data_untreated() {
    let now = Time::of(BEGIN);
    let thermostat: Vec<_> = Device::of(5)
        .weeks(52)
        .iter()
        .map(|(week, report)| (week.untreated(now, 4711), report.len()))
        .collect();
    let camera: Vec<_> = crate::camera::year(5)
        .iter()
        .map(|(week, report)| (week.untreated(now, 4711), report.len()))
        .collect();

    let mut page = HEAD.to_owned();
    for (name, weeks, most) in [
        ("thermostat, climate", &thermostat, Climate::MAX_BYTES),
        ("camera, scene", &camera, Scene::MAX_BYTES),
    ] {
        let [treated, bare, cbor, json] = means(weeks);
        assert!(weeks.iter().all(|(_, len)| *len <= most), "{name}");
        assert!(
            treated < bare && treated * 3.0 < cbor && treated * 4.0 < json,
            "{name}: {treated} {bare} {cbor} {json}"
        );
        writeln!(
            page,
            "| {name} | {treated:.1} | {most} | {bare:.1} | {cbor:.1} | {json:.1} |"
        )
        .expect("a string");
    }
    for (name, most) in [
        ("thermostat, faults", Faults::MAX_BYTES),
        ("thermostat, security", Security::MAX_BYTES),
    ] {
        writeln!(page, "| {name} | | {most} | | | |").expect("a string");
    }
    compared("telemetry-sizes.md", &page);
}
