//! Bytes of a report, against the same data as it is sent today. The figures stand in `docs/telemetry-format.md`.

use bydesign::telemetry::{Report, Time};

use crate::thermostat::{Climate, Faults, Security};
use crate::year::{BEGIN, Device};

#[test]
fn a_report_is_a_fraction_of_the_same_data_untreated() {
    let mut device = Device::of(5);
    let weeks = device.weeks(52);
    let now = Time::of(BEGIN);
    let mean = |sum: usize| sum as f64 / weeks.len() as f64;
    let treated = mean(weeks.iter().map(|(_, report)| report.len()).sum());
    let json = mean(weeks.iter().map(|(week, _)| week.json(now, 4711).len()).sum());
    let cbor = mean(weeks.iter().map(|(week, _)| week.cbor(now, 4711).len()).sum());
    println!("bytes of a weekly report: {treated:.1} treated, {cbor:.1} untreated CBOR, {json:.1} JSON");
    println!(
        "at most: {} {} {}",
        Climate::MAX_BYTES,
        Faults::MAX_BYTES,
        Security::MAX_BYTES
    );
    assert!(weeks.iter().all(|(_, report)| report.len() <= Climate::MAX_BYTES));
    assert!(
        treated * 4.0 < cbor && treated * 5.0 < json,
        "{treated} {cbor} {json}"
    );
}
