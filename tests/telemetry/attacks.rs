//! An attacker who runs the collector: knows the declarations, how people live, and half of the devices from the inside. What Mallory learns of
//! the treated reports is held against the bound that the declaration states, and against what the same attack gets of untreated data.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use bydesign::telemetry::{Report, Value};
use chacha20::rand_core::Rng;

use crate::support::random;
use crate::thermostat::Climate;
use crate::year::{Device, Week};

const HOUSES: usize = 200;
const WEEKS: u64 = 52;
/// Weeks of an epoch.
const EPOCH: usize = 4;

fn world() -> &'static Vec<Vec<(Week, Vec<u8>)>> {
    static WORLD: OnceLock<Vec<Vec<(Week, Vec<u8>)>>> = OnceLock::new();
    WORLD.get_or_init(|| {
        (0..HOUSES as u64)
            .map(|seed| Device::of(seed).weeks(WEEKS))
            .collect()
    })
}

/// What a report says, as numbers: without noise, and the noisy ones.
fn read(report: &[u8]) -> (Vec<i64>, BTreeMap<&'static str, i64>) {
    let (mut plain, mut noisy) = (Vec::new(), BTreeMap::new());
    Climate::SCHEMA
        .decode(report, |field, value| {
            let numbers = match value {
                Value::Truth(truth) => vec![i64::from(truth)],
                Value::Number(number) => vec![number],
                Value::Choice(number) => vec![i64::from(number) * 1000],
                Value::Pair(first, second) => vec![first, second],
                Value::Counts(counts, len) => counts[..usize::from(len)]
                    .iter()
                    .map(|count| i64::from(*count) * 10)
                    .collect(),
                Value::Letters(letters) => letters.bytes().map(i64::from).collect(),
                other => panic!("{other:?}"),
            };
            match field.name {
                "week" => {}
                name if field.effect.micro_epsilon > 0 => drop(noisy.insert(name, numbers[0])),
                _ => plain.extend(numbers),
            }
        })
        .expect("decodes");
    (plain, noisy)
}

fn distance(a: &[i64], b: &[i64]) -> i64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum()
}

/// For each of the earlier ones, the nearest of the later ones, one of the nearest by lot; how many were right.
fn linked(earlier: &[Vec<i64>], later: &[Vec<i64>]) -> f64 {
    let mut lots = random(99);
    let right = earlier.iter().enumerate().filter(|(number, features)| {
        let nearest = later
            .iter()
            .map(|other| distance(features, other))
            .min()
            .expect("some");
        let candidates: Vec<_> = (0..later.len())
            .filter(|at| distance(features, &later[*at]) == nearest)
            .collect();
        candidates[lots.next_u32() as usize % candidates.len()] == *number
    });
    right.count() as f64 / earlier.len() as f64
}

/// Mallory links a report of one epoch to the report of the same device in the next. Reports that read the same cannot be told apart: of each
/// kind one guess can be right, k of N; what the noise adds is a factor of exp(epsilon) at most.
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
        let of = |week: usize| {
            world
                .iter()
                .map(move |house| read(&house[week].1).0)
                .collect::<Vec<_>>()
        };
        let kinds: BTreeSet<_> = of(at + 1).into_iter().collect();
        bound += (kinds.len() as f64 / HOUSES as f64 * 0.75_f64.exp()).min(1.0);
        treated += linked(&of(at), &of(at + 1));
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

/// Mallory wants the mean temperature of a week to a tenth of a degree. A step of two degrees holds twenty such tenths; who knows how temperatures
/// are spread, and all other fields, is granted three times the chance of a guess among them.
#[test]
fn mallory_recovers_a_raw_reading_no_better_than_the_bound() {
    let world = world();
    let (mut right, mut all) = (0, 0);
    let (known, attacked) = world.split_at(HOUSES / 2);
    for week in 0..WEEKS as usize {
        let learnt: Vec<_> = known
            .iter()
            .map(|house| (read(&house[week].1).0, house[week].0.mean()))
            .collect();
        for house in attacked {
            let seen = read(&house[week].1).0;
            let nearest = learnt
                .iter()
                .map(|(other, _)| distance(&seen, other))
                .min()
                .expect("some");
            let mut alike: Vec<_> = learnt
                .iter()
                .filter(|(other, _)| distance(&seen, other) == nearest)
                .map(|(_, mean)| *mean)
                .collect();
            alike.sort_unstable();
            let guess = alike[alike.len() / 2];
            right += usize::from((guess - house[week].0.mean()).abs() <= 50);
            all += 1;
        }
    }
    let (success, bound) = (right as f64 / all as f64, 3.0 * 101.0 / 2_000.0);
    println!("a reading to a tenth of a degree: treated {success:.3}, stated bound {bound:.3}, untreated 1");
    assert!(success <= bound, "{success} beyond {bound}");
    assert!(
        world[0][0]
            .0
            .json(bydesign::telemetry::Time::of(0), 1)
            .contains(&world[0][0].0.mean().to_string())
    );
}

/// Mallory wants to know whether somebody was at home at noon of a day that is asked about. The declaration says epsilon 0.5, which is e^0.5 to 1:
/// right in 62 of 100 cases, whatever is known of how people live; all other fields are used as well, with weights learnt from known houses.
#[test]
fn mallory_learns_occupancy_no_better_than_the_bound() {
    let world = world();
    let (known, attacked) = world.split_at(HOUSES / 2);
    let epochs: Vec<usize> = (0..WEEKS as usize / EPOCH).map(|epoch| epoch * EPOCH).collect();
    // How often each answer of each field comes with somebody at home, and without.
    let mut weights: BTreeMap<(usize, i64), [f64; 2]> = BTreeMap::new();
    let features = |report: &[u8]| {
        let (plain, noisy) = read(report);
        let noisy = noisy
            .into_values()
            .enumerate()
            .map(|(at, value)| (100 + at, value));
        plain.into_iter().enumerate().chain(noisy).collect::<Vec<_>>()
    };
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
    // Two at a time, one with somebody at home and one without: which is which? What is usual does not help then.
    let score = |report: &[u8]| {
        let logs = features(report)
            .into_iter()
            .filter_map(|feature| weights.get(&feature));
        logs.map(|[without, with]| (with / total[1]).ln() - (without / total[0]).ln())
            .sum::<f64>()
    };
    let noon = |week: &Week| {
        let warm = week.temperatures[18 * 4..22 * 4].iter().max().expect("some");
        week.temperatures[13 * 4..16 * 4].iter().sum::<i32>() / 12 - warm
    };
    let mut scored: [Vec<(f64, f64)>; 2] = Default::default();
    for house in attacked {
        for week in &epochs {
            let (readings, report) = &house[*week];
            scored[usize::from(readings.at_home)].push((score(report), f64::from(noon(readings))));
        }
    }
    let [without, with] = &scored;
    let pairs = without.len().min(with.len());
    let mut lots = random(5);
    let (mut treated, mut untreated) = (0.0, 0.0);
    let draws = 20_000;
    for _ in 0..draws {
        let (a, b) = (
            without[lots.next_u32() as usize % without.len()],
            with[lots.next_u32() as usize % with.len()],
        );
        let won = |a: f64, b: f64| {
            if a < b {
                1.0
            } else if a == b {
                0.5
            } else {
                0.0
            }
        };
        treated += won(a.0, b.0);
        untreated += won(a.1, b.1);
    }
    let (treated, untreated) = (treated / f64::from(draws), untreated / f64::from(draws));
    let stated = 0.5_f64.exp() / (1.0 + 0.5_f64.exp());
    // Three standard deviations of so many pairs.
    let bound = stated + 3.0 * 0.5 / (pairs as f64).sqrt();
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
                .map(|(_, report)| read(report).1.into_iter().collect::<Vec<_>>())
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
