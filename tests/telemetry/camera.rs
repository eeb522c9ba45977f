//! The camera of the examples, which sees who comes and goes: a year of it in sixty houses, and what Mallory makes of that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use bydesign::telemetry::noise::{BinaryResponse, DiscreteLaplace};
use bydesign::telemetry::{Gate, Place, Raw, Report, Tally, ThisDevice, Time};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::Rng;

use crate::cameras::{Camera, DETECTION, Scene};
use crate::mallory::{Seen, best_guess_meets, linked, linking_bound, read, telling_bound, told_apart};
use crate::support::{Nor, Part, format, random};
use crate::untreated::{Fields, Item, json, of_device};
use crate::year::WEEK;

const HOUSES: u64 = 60;
const WEEKS: u64 = 52;
/// Epsilon of each of the two noisy fields. Both follow from who is there.
const EPSILON: f64 = 0.25;

/// A house, its garden, and who lives in it.
struct House {
    /// Of a hundred days, on how many somebody comes before the camera.
    visited: u32,
    /// Movements a day of leaves, cats and headlights, in the middle of summer and of winter.
    restless: [u32; 2],
    /// Of a hundred weeks, how many have a power cut.
    cuts: u32,
    /// Latitude and longitude.
    place: (i32, i32),
    source: ChaCha20Rng,
}

/// A week before the camera.
pub(crate) struct Week {
    /// Whether somebody came, for each day.
    pub(crate) people: [bool; 7],
    moved: [u32; 7],
    restarts: u32,
    /// Latitude and longitude.
    place: (i32, i32),
}

impl Week {
    pub(crate) fn all_moved(&self) -> u32 {
        self.moved.iter().sum()
    }

    /// The same data untreated.
    pub(crate) fn untreated(&self, now: Time, serial: u32) -> Fields {
        let mut fields = of_device(format!("CAM-{serial:08}"), now);
        fields.extend([
            ("firmware", Item::Number(12)),
            ("restarts", Item::Number(self.restarts.into())),
            ("person", Item::Truth(self.people[0])),
            ("motion", Item::Number(self.all_moved().into())),
            ("latitude", Item::Number(self.place.0.into())),
            ("longitude", Item::Number(self.place.1.into())),
            ("recorded", Item::Number((self.all_moved() * 3).into())),
        ]);
        fields
    }
}

impl House {
    fn of(seed: u64) -> Self {
        let mut source = random(seed + 7_000);
        let mut between = |low: u32, high: u32| low + source.next_u32() % (high - low);
        Self {
            visited: between(20, 80),
            restless: [between(1, 5), between(3, 8)],
            cuts: between(0, 30),
            place: (
                515_000_000 + between(0, 900_000).cast_signed(),
                -1_000_000 + between(0, 900_000).cast_signed(),
            ),
            source,
        }
    }

    fn week(&mut self, number: u64) -> Week {
        let mut below = |bound: u32| self.source.next_u32() % bound;
        // From summer, by winter, to summer.
        let winter = (number.abs_diff(26) as u32).min(26);
        let leaves = (self.restless[0] * winter + self.restless[1] * (26 - winter)) / 26;
        let people: [bool; 7] = std::array::from_fn(|_| below(100) < self.visited);
        let moved = people.map(|is_there| {
            // Each who comes is seen several times.
            let visits = if is_there { 1 + below(4) } else { 0 };
            leaves + below(4) + (0..visits).map(|_| 8 + below(8)).sum::<u32>()
        });
        Week {
            people,
            moved,
            restarts: u32::from(below(100) < self.cuts) * (1 + below(6)),
            place: self.place,
        }
    }
}

/// A year of a camera whose owner has agreed: what happened, and what was sent of it.
pub(crate) fn year(seed: u64) -> Vec<(Week, Vec<u8>)> {
    let mut part = Nor::<4, 4096>::new(32 * 1024);
    let mut store = format(&mut part, seed);
    let (mut house, mut source) = (House::of(seed), random(seed + 77));
    let gate = Gate::<Camera>::new();
    let begin = 1_735_689_600 / WEEK * WEEK;
    gate.grant(&mut store, DETECTION.number, Time::of(begin), &mut source)
        .expect("agrees");
    let tally = |count: u32| {
        let mut tally = Tally::new();
        tally.add(count);
        Raw::new(tally)
    };
    (0..WEEKS)
        .map(|number| {
            let now = Time::of(begin + number * WEEK);
            let week = house.week(number);
            let scene = Scene {
                device: Raw::new(ThisDevice),
                week: Raw::new(now),
                firmware: Raw::new(12),
                restarts: tally(week.restarts),
                person: Raw::new(week.people[0]),
                motion: tally(week.all_moved() / 10),
                place: Raw::new(Place {
                    latitude: week.place.0,
                    longitude: week.place.1,
                }),
                recorded: Raw::new(week.all_moved() * 3),
            };
            let prepared = gate
                .prepare(&mut store, scene, now, &mut source)
                .expect("prepares");
            let sent = prepared.bytes().to_vec();
            gate.release(&mut store, prepared, now, &mut source)
                .expect("releases");
            (week, sent)
        })
        .collect()
}

fn world() -> &'static Vec<Vec<(Week, Seen)>> {
    static WORLD: OnceLock<Vec<Vec<(Week, Seen)>>> = OnceLock::new();
    let seen = |(week, report): (Week, Vec<u8>)| (week, read(&Scene::SCHEMA, &report));
    WORLD.get_or_init(|| {
        (0..HOUSES)
            .map(|seed| year(seed).into_iter().map(seen).collect())
            .collect()
    })
}

#[test]
fn mallory_links_the_weeks_of_a_camera_no_better_than_the_bound() {
    let world = world();
    let reports = || world.iter().flatten().map(|(_, seen)| seen);
    let names: BTreeSet<_> = reports().flat_map(|seen| &seen.names).collect();
    assert_eq!(names.len(), reports().count(), "no name comes twice");

    let (mut treated, mut untreated, mut bound) = (0.0, 0.0, 0.0);
    for week in 0..WEEKS as usize - 1 {
        let of = |week: usize| -> Vec<Seen> { world.iter().map(|house| house[week].1.clone()).collect() };
        let features = |week: usize| -> Vec<Vec<i64>> { of(week).iter().map(Seen::features).collect() };
        treated += linked(&features(week), &features(week + 1));
        bound += linking_bound(&of(week + 1), 2.0 * EPSILON);
        let places = |week: usize| -> Vec<Vec<i64>> {
            let place = |house: &Vec<(Week, Seen)>| house[week].0.place;
            let both = |(latitude, longitude): (i32, i32)| vec![latitude.into(), longitude.into()];
            world.iter().map(place).map(both).collect()
        };
        untreated += linked(&places(week), &places(week + 1));
    }
    let each = |sum: f64| sum / (WEEKS - 1) as f64;
    let (treated, untreated, bound) = (each(treated), each(untreated), each(bound));
    println!(
        "linking of cameras: treated {treated:.3}, stated bound {bound:.3}, untreated {untreated:.3}, by lot {:.3}",
        1.0 / HOUSES as f64
    );
    assert!(treated <= bound, "{treated} beyond {bound}");
    assert!(bound < 0.5, "a bound that says something: {bound}");
    assert!(untreated > 0.95, "the attack works: {untreated}");
}

/// Mallory wants to know how often something moved in a week, to ten. What is told has noise, and helps a guess by no more than the sum of the
/// largest chances of each answer, of both fields.
#[test]
fn mallory_recovers_the_movements_of_a_week_no_better_than_the_bound() {
    let (known, attacked) = world().split_at(world().len() / 2);
    let tens = |week: &Week| i32::try_from(week.all_moved() / 10).expect("few");
    // For each pair of answers the number that comes with it most often among known houses.
    let mut learnt: BTreeMap<Vec<i64>, BTreeMap<i32, u32>> = BTreeMap::new();
    for (week, seen) in known.iter().flatten() {
        let answers = seen.noisy.values().copied().collect();
        *learnt.entry(answers).or_default().entry(tens(week)).or_default() += 1;
    }
    let guess = |seen: &Seen| {
        let answers: Vec<i64> = seen.noisy.values().copied().collect();
        let most = learnt
            .get(&answers)
            .and_then(|numbers| numbers.iter().max_by_key(|(_, times)| **times));
        most.map(|(number, _)| *number)
    };
    let weeks = || attacked.iter().flatten();
    let all = weeks().count() as f64;
    let success = weeks()
        .filter(|(week, seen)| guess(seen) == Some(tens(week)))
        .count() as f64
        / all;
    // The best guess of one who sees no report, chosen with hindsight.
    let mut numbers: Vec<i32> = weeks().map(|(week, _)| tens(week)).collect();
    numbers.sort_unstable();
    let blind = best_guess_meets(&numbers, 0) as f64 / all;

    let (person, motion) = (
        BinaryResponse::with_epsilon::<1, 4>(),
        DiscreteLaplace::<50>::with_epsilon::<0, 1, 4>(),
    );
    let draws = 18_446_744_073_709_551_616.0;
    let most = |answer: i32| (0..=50).map(|number| motion.draws(number, answer)).max();
    let gain = (0..=50)
        .filter_map(most)
        .map(|most| most as f64 / draws)
        .sum::<f64>()
        * 2.0
        * person.draws(true, true) as f64
        / draws;
    let bound = gain * blind;
    println!(
        "movements of a week, to ten: treated {success:.3}, stated bound {bound:.3} ({gain:.2} times blind, {blind:.3}), untreated 1"
    );
    assert!(success <= bound, "{success} beyond {bound}");
    assert!(gain <= (2.0 * EPSILON).exp(), "{gain}");
    let (week, _) = &world()[0][0];
    let text = json(&week.untreated(Time::of(WEEK), 4711));
    let told = format!("\"motion\":{},", week.all_moved());
    assert!(text.contains(&told), "the attack works");
}

#[test]
fn mallory_learns_who_was_there_no_better_than_the_bound() {
    let weeks = || world().iter().flatten();
    // What was told, and more movement speaks for somebody; both weighed by what they are worth.
    let score = |seen: &Seen| {
        let told = EPSILON * seen.noisy["person"] as f64;
        told + EPSILON / 50.0 * seen.noisy["motion"] as f64
    };
    let scored = |is_there: bool, score: &dyn Fn(&(Week, Seen)) -> f64| -> Vec<f64> {
        let of = weeks().filter(|(week, _)| week.people[0] == is_there);
        of.map(score).collect()
    };
    let won = |score: &dyn Fn(&(Week, Seen)) -> f64| {
        let (without, with) = (scored(false, score), scored(true, score));
        (told_apart(&without, &with), without.len().min(with.len()))
    };
    let (treated, pairs) = won(&|(_, seen)| score(seen));
    let (untreated, _) = won(&|(week, _)| f64::from(week.moved[0]));
    let (stated, bound) = telling_bound(2.0 * EPSILON, pairs);
    println!(
        "who was there: treated {treated:.3}, stated bound {stated:.3} (with chance {bound:.3}), untreated {untreated:.3}"
    );
    assert!(treated <= stated, "{treated} beyond {stated}");
    assert!(treated > 0.5, "something is told: {treated}");
    assert!(untreated > 0.95, "the attack works: {untreated}");
}
