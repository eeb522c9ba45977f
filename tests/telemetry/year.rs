//! A year of houses: readings as a thermostat takes them, from people who come, go, freeze and open windows. Seeded.

use bydesign::store::Store;
use bydesign::telemetry::{Extremes, Gate, Histogram, Place, Raw, Tally, Time};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::Rng;

use crate::support::{LABEL, Memory, Nor, Part, random, root_key};
use crate::thermostat::{COMFORTABLE, Climate, HABITS, HEATING, Thermostat};
use crate::treatments::nearest;
use crate::untreated::{Fields, Item, of_device};

pub(crate) const WEEK: u64 = 7 * 86_400;
/// The beginning of an epoch of four weeks.
pub(crate) const BEGIN: u64 = 1_735_516_800 / (4 * WEEK) * (4 * WEEK);

/// People in a house: what they like, and when they are there.
pub(crate) struct House {
    warm: i32,
    cool: i32,
    /// How fast the house follows, in per cent a quarter of an hour.
    follows: i32,
    /// Of a hundred noons, at how many somebody is there.
    at_noon: u32,
    hands: u32,
    place: (i32, i32),
    source: ChaCha20Rng,
}

/// A week as the device sees it.
pub(crate) struct Week {
    /// Each quarter of an hour, in thousandths of a degree.
    pub(crate) temperatures: Vec<i32>,
    pub(crate) starts: u32,
    pub(crate) at_home: bool,
    pub(crate) changes: u32,
    place: (i32, i32),
}

fn between(source: &mut impl Rng, low: i32, high: i32) -> i32 {
    low + i32::try_from(source.next_u32() % (high - low).unsigned_abs()).expect("small")
}

/// About normal: the mean of several draws.
fn about(source: &mut impl Rng, mean: i32, spread: i32) -> i32 {
    (0..6)
        .map(|_| between(source, mean - spread, mean + spread))
        .sum::<i32>()
        / 6
}

impl House {
    pub(crate) fn of(seed: u64) -> Self {
        let mut source = random(seed.wrapping_mul(0x9e37_79b9).wrapping_add(7));
        let warm = about(&mut source, 20_500, 2_400);
        Self {
            warm,
            cool: warm - between(&mut source, 1_500, 4_500),
            follows: between(&mut source, 4, 20),
            at_noon: between(&mut source, 20, 80).unsigned_abs(),
            hands: between(&mut source, 0, 9).unsigned_abs(),
            // All of them in one region.
            place: (
                between(&mut source, 535_000_000, 540_000_000),
                between(&mut source, -20_000_000, -10_000_000),
            ),
            source,
        }
    }

    pub(crate) fn week(&mut self) -> Week {
        let noons: Vec<bool> = (0..7)
            .map(|_| self.source.next_u32() % 100 < self.at_noon)
            .collect();
        let mut temperature = self.cool;
        let (mut temperatures, mut starts, mut is_heating) = (Vec::new(), 0, false);
        for quarter in 0..672usize {
            let (day, hour) = (quarter / 96, quarter % 96 / 4);
            let is_there = match hour {
                0..=5 | 23 => false,
                9..=16 => noons[day],
                _ => true,
            };
            let target = if is_there { self.warm } else { self.cool };
            temperature += (target - temperature) * self.follows / 100 + between(&mut self.source, -120, 120);
            let heats = temperature < target;
            starts += u32::from(heats && !is_heating);
            is_heating = heats;
            temperatures.push(temperature);
        }
        Week {
            temperatures,
            starts,
            at_home: noons[0],
            changes: (self.hands + self.source.next_u32() % 4).min(20),
            place: self.place,
        }
    }
}

impl Week {
    pub(crate) fn mean(&self) -> i32 {
        self.temperatures.iter().sum::<i32>() / 672
    }

    /// What the report says of the temperatures and the burner, reckoned here once more: how Mallory reads it.
    pub(crate) fn treated(&self) -> Vec<i64> {
        let temperatures = || {
            self.temperatures
                .iter()
                .map(|temperature| i64::from(*temperature))
        };
        let mut told = vec![
            nearest(i64::from(self.mean()), 2_000, 6_000, 34_000),
            nearest(temperatures().min().expect("some"), 5_000, 0, 40_000),
            nearest(temperatures().max().expect("some"), 5_000, 0, 40_000),
        ];
        told.extend(
            self.quarters()
                .map(|count| nearest(i64::from(count), 336, 0, 672) * 10),
        );
        let reached = [1, 50, 200].into_iter().filter(|edge| self.starts >= *edge);
        told.push(1_000 * i64::try_from(reached.count()).expect("three at most"));
        told
    }

    pub(crate) fn latitude(&self) -> i64 {
        self.place.0.into()
    }

    /// The report, with the readings in it.
    pub(crate) fn report(&self, now: Time) -> Climate {
        let (mut extremes, mut quarters) = (Extremes::new(), Histogram::new());
        for temperature in &self.temperatures {
            extremes.add(&Raw::new(*temperature));
            quarters.add(&Raw::new(*temperature), &COMFORTABLE);
        }
        let tally = |count| {
            let mut tally = Tally::new();
            tally.add(count);
            Raw::new(tally)
        };
        Climate {
            week: Raw::new(now),
            temperature: Raw::new(self.mean()),
            extremes: Raw::new(extremes),
            quarters: Raw::new(quarters),
            starts: tally(self.starts),
            place: Raw::new(Place {
                latitude: self.place.0,
                longitude: self.place.1,
            }),
            at_home: Raw::new(self.at_home),
            changes: tally(self.changes),
            programme: Raw::new(0),
        }
    }

    /// The same data untreated.
    pub(crate) fn untreated(&self, now: Time, serial: u32) -> Fields {
        let extremes = [self.temperatures.iter().min(), self.temperatures.iter().max()];
        let mut fields = of_device(format!("TH-{serial:08}"), now);
        fields.extend([
            ("temperature", Item::Number(self.mean().into())),
            (
                "extremes",
                Item::Numbers(extremes.map(|reading| (*reading.expect("some")).into()).to_vec()),
            ),
            ("quarters", Item::Numbers(self.quarters().map(i64::from).to_vec())),
            ("starts", Item::Number(self.starts.into())),
            ("latitude", Item::Number(self.place.0.into())),
            ("longitude", Item::Number(self.place.1.into())),
            ("at_home", Item::Truth(self.at_home)),
            ("changes", Item::Number(self.changes.into())),
        ]);
        fields
    }

    pub(crate) fn quarters(&self) -> [u32; 4] {
        let mut counts = [0; 4];
        for temperature in &self.temperatures {
            counts[COMFORTABLE
                .iter()
                .filter(|edge| i64::from(*temperature) >= **edge)
                .count()] += 1;
        }
        counts
    }
}

/// A thermostat in a house, whose user has agreed.
pub(crate) struct Device {
    part: Nor<4, 4096>,
    pub(crate) house: House,
    random: ChaCha20Rng,
}

impl Device {
    pub(crate) fn of(seed: u64) -> Self {
        let mut part = Nor::new(32 * 1024);
        let mut random = random(seed + 1_000_000);
        {
            let mut store = crate::support::format(&mut part, seed);
            for purpose in [HEATING, HABITS] {
                let agreed =
                    Gate::<Thermostat>::new().grant(&mut store, purpose.number, Time::of(BEGIN), &mut random);
                agreed.expect("agrees");
            }
        }
        Self {
            part,
            house: House::of(seed),
            random,
        }
    }

    /// So many weeks, each with the report that was sent of it.
    pub(crate) fn weeks(&mut self, count: u64) -> Vec<(Week, Vec<u8>)> {
        let memory = Memory::new();
        let mut store = Store::mount(self.part.medium(), memory, &root_key(), LABEL).expect("mounts");
        let gate = Gate::<Thermostat>::new();
        let mut weeks = Vec::new();
        for number in 0..count {
            let now = Time::of(BEGIN + number * WEEK);
            let week = self.house.week();
            let prepared = gate
                .prepare(&mut store, week.report(now), now, &mut self.random)
                .expect("prepares");
            let sent = prepared.bytes().to_vec();
            gate.release(&mut store, prepared, now, &mut self.random)
                .expect("releases");
            weeks.push((week, sent));
        }
        weeks
    }
}
