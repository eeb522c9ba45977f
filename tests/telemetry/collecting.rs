//! From what a device sends to what the collector says of all: by the bytes alone.

use bydesign::telemetry::collect::{Answer, Confidence, PartialSum, Source};
use bydesign::telemetry::noise::{BinaryResponse, DiscreteLaplace};
use bydesign::telemetry::{Report, schema_of};

use crate::camera::year;
use crate::cameras::{Camera, Scene};

#[test]
fn what_is_decoded_of_reports_is_summed_and_estimated() {
    let field = |name: &str| {
        let found = Scene::SCHEMA.fields.iter().find(|field| field.name == name);
        Source::of(&Scene::SCHEMA, found.expect("declared")).expect("names")
    };
    let motion = DiscreteLaplace::<50>::with_epsilon::<0, 1, 4>();
    let mut people = PartialSum::new(&field("person"), &BinaryResponse::with_epsilon::<1, 4>());
    let mut movements = PartialSum::new(&field("motion"), &motion);
    let (mut seen, mut moved, mut all) = (0.0, 0.0, 0.0);
    for (week, report) in (100..140).flat_map(year) {
        let schema = schema_of::<Camera>(&report).expect("declared");
        let decoded = schema.decode(&report, |field, value| match field.name {
            "person" => people
                .add(Answer::try_from(value).expect("yes or no"))
                .expect("counted"),
            "motion" => movements
                .add(Answer::try_from(value).expect("a number"))
                .expect("counted"),
            "device" | "place" => assert!(
                Answer::try_from(value).is_err(),
                "names and places are not summed"
            ),
            _ => {}
        });
        decoded.expect("a report");
        seen += f64::from(u8::from(week.people[0]));
        moved += f64::from(week.all_moved() / 10);
        all += 1.0;
    }
    assert_eq!((people.reports(), movements.reports()), (40 * 52, 40 * 52));
    let shares = people.frequencies(Confidence::Percent99).expect("reports");
    let mean = movements.mean(Confidence::Percent99).expect("reports");
    for (estimate, truth, widest) in [(&shares[1], seen / all, 0.6), (&mean, moved / all, 45.0)] {
        assert!(
            (estimate.low()..=estimate.high()).contains(&truth),
            "{truth} is not from {} to {}",
            estimate.low(),
            estimate.high()
        );
        let width = estimate.high() - estimate.low();
        assert!(
            (widest / 3.0..widest).contains(&width),
            "an interval of its noise: {width}"
        );
    }
}
