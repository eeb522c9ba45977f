//! The work that stores are measured with, the same in `benches/store.rs` and `benches/peers`.
#![allow(dead_code, unreachable_pub)]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // figures for people

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

pub const SEED: u64 = 20_261_123;

pub fn random() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(SEED)
}

/// A number below `bound`.
pub fn below(bound: usize, random: &mut ChaCha20Rng) -> usize {
    random.next_u32() as usize % bound.max(1)
}

pub struct Item {
    pub name: String,
    pub len: usize,
}

/// Items of one kind, and how many of 100 updates go to them; within the group each is as likely.
pub struct Group {
    pub share: usize,
    pub items: Vec<Item>,
}

pub struct Work {
    pub name: &'static str,
    pub groups: Vec<Group>,
    /// Share of the capacity, as the store reports it, that is filled with more items that are never updated.
    pub filled_percent: u32,
    /// Whether upkeep is done between the puts until none is left.
    pub maintained: bool,
    /// How many updates of different items are made together.
    pub batch: usize,
}

pub fn group(share: usize, prefix: &str, number: usize, len: usize) -> Group {
    let items = (0..number)
        .map(|at| Item {
            name: format!("{prefix}-{at:02}"),
            len,
        })
        .collect();
    Group { share, items }
}

impl Work {
    /// 64-byte values: four updates of five go to 16 hot items, one to 64 cold ones.
    pub fn hot_and_cold(name: &'static str) -> Self {
        let groups = vec![group(80, "hot", 16, 64), group(20, "cold", 64, 64)];
        Self {
            name,
            groups,
            filled_percent: 0,
            maintained: false,
            batch: 1,
        }
    }

    pub fn all() -> Vec<Self> {
        vec![
            Self::hot_and_cold("hot and cold"),
            Self {
                maintained: true,
                ..Self::hot_and_cold("the same, maintained")
            },
            Self {
                filled_percent: 75,
                ..Self::hot_and_cold("the same, 75 % full")
            },
            Self {
                filled_percent: 75,
                maintained: true,
                ..Self::hot_and_cold("75 % full, maintained")
            },
            Self {
                name: "realistic mix",
                groups: vec![
                    group(80, "count", 16, 8),
                    group(19, "set", 40, 24),
                    group(1, "cert", 4, 900),
                ],
                filled_percent: 0,
                maintained: false,
                batch: 1,
            },
            Self {
                name: "500 items",
                groups: vec![group(100, "k", 500, 64)],
                filled_percent: 0,
                maintained: false,
                batch: 1,
            },
            Self {
                batch: 8,
                ..Self::hot_and_cold(BATCHES)
            },
        ]
    }

    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.groups.iter().flat_map(|group| &group.items)
    }

    pub fn choose(&self, random: &mut ChaCha20Rng) -> &Item {
        let mut of_hundred = below(100, random);
        let group = self.groups.iter().find(|group| {
            let here = of_hundred < group.share;
            of_hundred = of_hundred.saturating_sub(group.share);
            here
        });
        let items = &group.unwrap_or(&self.groups[0]).items;
        &items[below(items.len(), random)]
    }

    /// The items of the next batch, each of them once.
    pub fn choose_batch(&self, random: &mut ChaCha20Rng) -> Vec<&Item> {
        let mut items: Vec<&Item> = Vec::new();
        while items.len() < self.batch {
            let item = self.choose(random);
            if items.iter().all(|other| other.name != item.name) {
                items.push(item);
            }
        }
        items
    }
}

/// The work whose updates are made eight at a time.
pub const BATCHES: &str = "batches of 8";

pub fn fresh_value(len: usize, random: &mut ChaCha20Rng) -> Vec<u8> {
    let mut value = vec![0; len];
    random.fill_bytes(&mut value);
    value
}

/// Highest number of erases over the mean, of the pages that take turns.
pub fn wear(erases: &[u32]) -> f64 {
    let sum: u32 = erases.iter().sum();
    let most = erases.iter().max().copied().unwrap_or(0);
    f64::from(most) * erases.len() as f64 / f64::from(sum.max(1))
}
