//! An attacker who runs the collector: knows the declarations, how people live, and half of the devices from the inside. What Mallory learns of
//! the treated reports is held against the bound that is stated (`docs/telemetry-format.md`, and `bounds.rs` for why it holds), and against what the
//! same attack gets of untreated data.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use bydesign::telemetry::{Report, Time};

use crate::mallory::{
    Seen, best_with_hindsight, distance, linked, linking_bound, read, telling_bound, told_apart,
};
use crate::support::random;
use crate::thermostat::Climate;
use crate::untreated::json;
use crate::year::{BEGIN, Device, House, Week};

const HOUSES: usize = 200;
const WEEKS: u64 = 52;
/// Weeks of an epoch.
const EPOCH: usize = 4;
/// Epsilon of both noisy fields together, and of the one that says whether somebody was at home.
const EPSILON: f64 = 0.75;
const AT_HOME: f64 = 0.5;
/// A tenth of a degree, as a guess is near enough on both sides.
const NEAR: i32 = 50;

fn world() -> &'static Vec<Vec<(Week, Vec<u8>)>> {
    static WORLD: OnceLock<Vec<Vec<(Week, Vec<u8>)>>> = OnceLock::new();
    WORLD.get_or_init(|| {
        (0..HOUSES as u64)
            .map(|seed| Device::of(seed).weeks(WEEKS))
            .collect()
    })
}

fn seen(report: &[u8]) -> Seen {
    read(&Climate::SCHEMA, report)
}

/// Mallory links a report of one epoch to the report of the same device in the next, by all that the two say.
//= compliance/requirements.md#tele-13
//= type=test
//# Two reports of different epochs MUST NOT share anything that names the device.
#[test]
fn mallory_links_reports_across_epochs_no_better_than_the_bound() {
    let world = world();
    let (mut treated, mut untreated, mut bound) = (0.0, 0.0, 0.0);
    let epochs = WEEKS as usize / EPOCH - 1;
    for epoch in 0..epochs {
        // The last week of an epoch and the first of the next.
        let at = epoch * EPOCH + EPOCH - 1;
        let of = |week: usize| -> Vec<Seen> { world.iter().map(|house| seen(&house[week].1)).collect() };
        let features = |week: usize| -> Vec<Vec<i64>> { of(week).iter().map(Seen::features).collect() };
        bound += linking_bound(&of(at + 1), EPSILON);
        treated += linked(&features(at), &features(at + 1));
        // The same data as it was measured, without a serial number.
        let raw = |week: usize| {
            let features = world.iter().map(move |house| {
                let week = &house[week].0;
                let day = |hour: usize| {
                    (0..7)
                        .map(|day| i64::from(week.temperatures[day * 96 + hour * 4]))
                        .sum::<i64>()
                        / 7
                };
                let mut features: Vec<i64> = [2, 5, 7, 19, 21, 22].into_iter().map(day).collect();
                features.push(week.latitude());
                features
            });
            features.collect::<Vec<_>>()
        };
        untreated += linked(&raw(at), &raw(at + 1));
    }
    let each = |sum: f64| sum / epochs as f64;
    let (treated, untreated, bound) = (each(treated), each(untreated), each(bound));
    println!(
        "linking: treated {treated:.3}, stated bound {bound:.3}, untreated {untreated:.3}, by lot {:.3}",
        1.0 / HOUSES as f64
    );
    assert!(treated <= bound, "{treated} beyond {bound}");
    assert!(bound < 0.5, "a bound that says something: {bound}");
    assert!(untreated > 0.95, "the attack works: {untreated}");
}

/// Mallory wants the mean temperature of a week to a tenth of a degree, from all that is told without noise of that week; noise
/// would help by exp(epsilon) at most. The bound is what the best rule there is would get, who knows how all houses live: no more than what is right, with
/// hindsight, of many weeks of other houses.
#[test]
fn mallory_recovers_a_raw_reading_no_better_than_the_bound() {
    let world = world();
    let (mut right, mut all) = (0, 0);
    let (known, attacked) = world.split_at(HOUSES / 2);
    for week in 0..WEEKS as usize {
        let learnt: Vec<_> = known
            .iter()
            .map(|house| (seen(&house[week].1).plain, house[week].0.mean()))
            .collect();
        for house in attacked {
            let report = seen(&house[week].1).plain;
            assert_eq!(
                &report[..report.len() - 2],
                house[week].0.treated(),
                "what follows from temperatures, and the two letters of the place"
            );
            let nearest = learnt
                .iter()
                .map(|(other, _)| distance(&report, other))
                .min()
                .expect("some");
            let mut alike: Vec<_> = learnt
                .iter()
                .filter(|(other, _)| distance(&report, other) == nearest)
                .map(|(_, mean)| *mean)
                .collect();
            alike.sort_unstable();
            let guess = alike[alike.len() / 2];
            right += usize::from((guess - house[week].0.mean()).abs() <= NEAR);
            all += 1;
        }
    }
    let success = right as f64 / all as f64;
    let others: Vec<Week> = (0..OTHERS).map(|seed| House::of(1_000 + seed).week()).collect();
    let bound = best_with_hindsight(others.iter().map(|week| (week.treated(), week.mean())), NEAR);
    let blind = best_with_hindsight(others.iter().map(|week| (Vec::new(), week.mean())), NEAR);
    println!(
        "a reading to a tenth of a degree: treated {success:.3}, stated bound {bound:.3}, blind {blind:.3}, untreated 1"
    );
    assert!(success <= bound, "{success} beyond {bound}");
    assert!(bound < 0.25, "a bound that says something: {bound}");
    let text = json(&world[0][0].0.untreated(Time::of(BEGIN), 1));
    let told = format!("\"temperature\":{},", world[0][0].0.mean());
    assert!(text.contains(&told), "the attack works");
}

/// Houses that Mallory's best rule is looked for in, one week of each.
const OTHERS: u64 = 60_000;

/// Mallory wants to know whether somebody was at home at noon of a day that is asked about. The declaration says epsilon 0.5: by that answer, of two
/// houses the right one is told in 62 of 100 cases, whatever else is known. All other fields are used as well, with weights learnt from known houses.
#[test]
fn mallory_learns_occupancy_no_better_than_the_bound() {
    let world = world();
    let (known, attacked) = world.split_at(HOUSES / 2);
    let epochs: Vec<usize> = (0..WEEKS as usize / EPOCH).map(|epoch| epoch * EPOCH).collect();
    // How often each answer of each field comes with somebody at home, and without.
    let mut weights: BTreeMap<(usize, i64), [f64; 2]> = BTreeMap::new();
    let features = |report: &[u8]| seen(report).features().into_iter().enumerate();
    for house in known {
        for week in &epochs {
            for feature in features(&house[*week].1) {
                weights.entry(feature).or_insert([1.0; 2])[usize::from(house[*week].0.at_home)] += 1.0;
            }
        }
    }
    let at_home = known
        .iter()
        .flat_map(|house| epochs.iter().map(|week| house[*week].0.at_home));
    let total = at_home.fold([2.0, 2.0], |mut total: [f64; 2], at_home| {
        total[usize::from(at_home)] += 1.0;
        total
    });
    let score = |report: &[u8]| {
        let logs = features(report).filter_map(|feature| weights.get(&feature));
        logs.map(|[without, with]| (with / total[1]).ln() - (without / total[0]).ln())
            .sum::<f64>()
    };
    let noon = |week: &Week| {
        let warm = week.temperatures[18 * 4..22 * 4].iter().max().expect("some");
        f64::from(week.temperatures[13 * 4..16 * 4].iter().sum::<i32>() / 12 - warm)
    };
    let weeks = || {
        attacked
            .iter()
            .flat_map(|house| epochs.iter().map(|week| &house[*week]))
    };
    let scored = |is_there: bool, score: &dyn Fn(&(Week, Vec<u8>)) -> f64| -> Vec<f64> {
        let of = weeks().filter(|(readings, _)| readings.at_home == is_there);
        of.map(score).collect()
    };
    let won = |score: &dyn Fn(&(Week, Vec<u8>)) -> f64| {
        let (without, with) = (scored(false, score), scored(true, score));
        (told_apart(&without, &with), without.len().min(with.len()))
    };
    let (treated, pairs) = won(&|(_, report)| score(report));
    let (untreated, _) = won(&|(week, _)| noon(week));
    let (stated, bound) = telling_bound(AT_HOME, pairs);
    println!(
        "occupancy: treated {treated:.3}, stated bound {stated:.3} (with chance {bound:.3}), untreated {untreated:.3}"
    );
    assert!(treated <= bound, "{treated} beyond {bound}");
    assert!(untreated > 0.95, "the attack works: {untreated}");
}

/// Mallory asks the same thing of a device that answers anew each time, and takes the majority; and of one that keeps its answer.
#[test]
fn mallory_averages_fresh_answers_away_and_kept_ones_not() {
    use bydesign::telemetry::noise::{BinaryResponse, Mechanism};
    const ASKED: BinaryResponse = BinaryResponse::with_epsilon::<1, 2>();
    let mut source = random(3);
    let houses = 400;
    let (mut fresh, mut kept) = (0, 0);
    for number in 0..houses {
        let truth = number % 2 == 0;
        let answers = (0..400)
            .filter(|_| ASKED.randomise(truth, &mut source).expect("never fails"))
            .count();
        fresh += u32::from((answers > 200) == truth);
        let answer = ASKED.randomise(truth, &mut source).expect("never fails");
        kept += u32::from(answer == truth);
    }
    let share = |right: u32| f64::from(right) / f64::from(houses);
    assert!(share(fresh) > 0.99, "{}", share(fresh));
    assert!(
        share(kept) < 0.622 + 3.0 * 0.5 / f64::from(houses).sqrt(),
        "{}",
        share(kept)
    );
}

/// And what the gate sends over a year has one answer for each epoch, as many draws as the budget has paid for.
#[test]
fn a_year_of_reports_has_one_noisy_answer_for_each_epoch() {
    for house in &world()[..20] {
        for epoch in house.chunks(EPOCH) {
            let answers: BTreeSet<_> = epoch
                .iter()
                .map(|(_, report)| seen(report).noisy.into_iter().collect::<Vec<_>>())
                .collect();
            assert_eq!(answers.len(), 1);
            assert_eq!(
                answers.first().expect("one").len(),
                2,
                "both noisy fields, to the end of the year"
            );
        }
    }
}
