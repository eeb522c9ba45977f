//! Whether one symbol tells another, without knowing how.
//!
//! ```text
//!  audit::bias · audit::counter · audit::dependence
//!  audit::predict (this file)
//!  audit::chance
//! ```
//!
//! Row by row, the symbol is guessed to be the one that stood beside the same key before. Each guess is made from earlier rows alone, so
//! where key and symbol are independent each succeeds with at most the probability of the most frequent symbol, and the number of successes
//! is bounded by a binomial one, whatever the frequencies are.

use std::vec;
use std::vec::Vec;

use super::chance;

/// How often a key told the symbol.
#[derive(Clone, Copy, Default)]
pub(super) struct Relation {
    pub(super) tries: usize,
    pub(super) hits: usize,
}

impl Relation {
    /// The share of successes from which on a relation is worth a finding.
    pub(super) const WORTH: f64 = 0.5;

    pub(super) fn share(self) -> f64 {
        self.hits as f64 / self.tries.max(1) as f64
    }

    /// How likely it is by chance, where the most frequent symbol has this probability.
    pub(super) fn chance(self, peak: f64) -> f64 {
        // A little is added for what the peak itself is estimated from.
        let peak = (peak + 2.0 * (peak / self.tries.max(1) as f64).sqrt()).min(1.0);
        chance::binomial(self.tries, self.hits, peak)
    }
}

/// Guesses each symbol from those that stood beside its key before. Keys are smaller than `keys`.
pub(super) fn run(keys: usize, pairs: impl Iterator<Item = (usize, u16)>) -> Relation {
    let mut last = vec![NONE; keys];
    let mut relation = Relation::default();
    for (key, symbol) in pairs {
        let Some(slot) = last.get_mut(key) else { continue };
        if *slot != NONE {
            relation.tries += 1;
            relation.hits += usize::from(*slot == symbol);
            // Chance has had time enough to show itself.
            if relation.tries == EARLY && relation.hits * 6 < EARLY
                || relation.tries == LATER && relation.hits * 4 < LATER
            {
                break;
            }
        }
        *slot = symbol;
    }
    relation
}

/// Rows from all over a batch, not more than are needed.
pub(super) fn sample(rows: usize) -> Vec<usize> {
    let step = rows.div_ceil(MOST).max(1);
    (0..rows).step_by(step).collect()
}

/// Fewer rows than this tell nothing.
pub(super) const FEWEST: usize = 30;
const NONE: u16 = u16::MAX;
const MOST: usize = 2500;
const EARLY: usize = 24;
const LATER: usize = 120;
