//! What an interrupted program or erase leaves behind: torn words, unstable bits, units that only look blank.
//!
//! Data sheets promise next to nothing here, so the models are chosen to be nasty in different ways rather than likely.

use std::collections::BTreeMap;
use std::vec;
use std::vec::Vec;

use core::ops::Range;

use super::{Simulator, is_blank, units_of};

/// What is left of the word that was being programmed when power went.
///
/// Words of the same call before it are done, words after it are untouched. A word whose programming began counts as
/// programmed, even if it still reads blank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProgramTear {
    /// The cut lands exactly between two bytes: bytes before the event are done, the others untouched.
    Clean,
    /// In each byte of the word, a random part of the bits that were to be cleared are.
    TornWord,
    /// As torn, and an error-correcting part notices: the word fails to read until its unit is erased.
    UnreadableWord,
    /// Each bit of the word that was to be cleared reads as zero or one, anew at each read, until it is programmed to
    /// zero or its unit is erased.
    Unstable,
}

/// What is left of the unit that was being erased when power went.
///
/// Of the four events of an erase, the first leaves the unit as it was and the last leaves it erased, in all models.
/// The two between tear it: the second leaves it mostly old, the third mostly erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EraseTear {
    /// Old after the second event, erased after the third.
    Clean,
    /// Each bit is either old or one. Words that became all ones can be programmed.
    OldOrOne,
    /// Each bit that was zero reads as zero or one, anew at each read, until it is programmed to zero or its unit is
    /// erased.
    Unstable,
    /// The unit reads blank, but is weak until it is erased again. What is programmed to it reads back right, but loses
    /// random zeros at the next `power_on`, or when 64 more reads of the part were done.
    WeakBlank,
    /// One half is erased, the other is old. Which one, the seed decides; the third event leaves the reverse of the
    /// second.
    HalfErased,
}

/// Bits of one unit that read as they please.
#[derive(Clone)]
pub(super) struct UnstableUnit {
    /// For each byte of the unit, the bits.
    masks: Vec<u8>,
    /// How often they read as one.
    ones: Share,
}

/// A unit whose interrupted erase left it blank to look at only.
#[derive(Clone)]
pub(super) struct WeakUnit {
    /// Addresses programmed since bits were lost the last time.
    loaded: Vec<Range<usize>>,
    /// The read of the part that finds bits lost.
    decays_at: u64,
    /// How many zeros are lost.
    lost: Share,
}

/// How many of a byte's bits a random draw picks, on average.
#[derive(Clone, Copy)]
enum Share {
    Quarter,
    Half,
    ThreeQuarters,
}

/// `SplitMix64`: small, fast, and good enough to tear bits with.
#[derive(Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn byte(&mut self, share: Share) -> u8 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let [first, second, ..] = (mixed ^ (mixed >> 31)).to_le_bytes();
        match share {
            Share::Quarter => first & second,
            Share::Half => first,
            Share::ThreeQuarters => first | second,
        }
    }
}

impl<const WRITE: usize, const ERASE: usize> Simulator<WRITE, ERASE> {
    /// Programs `bytes` until power goes at the event of byte `done`.
    pub(super) fn tear_program(&mut self, start: usize, bytes: &[u8], done: usize) {
        if self.program_tear == ProgramTear::Clean || !self.programs(start) {
            self.program(start, &bytes[..done]);
            return;
        }
        let whole_words = done / WRITE * WRITE;
        self.program(start, &bytes[..whole_words]);
        self.counters.bytes_programmed += (done - whole_words) as u64;

        let mut random = self.tear_random();
        let torn = start + whole_words..start + whole_words + WRITE;
        for (index, requested) in torn.clone().zip(&bytes[whole_words..]) {
            let clearing = self.memory[index] & !requested;
            self.memory[index] &= !(clearing & random.byte(Share::Half));
            if self.program_tear == ProgramTear::Unstable && clearing != 0 {
                let unstable = unstable_unit(&mut self.unstable, index / ERASE, ERASE, Share::Half);
                unstable.masks[index % ERASE] |= clearing;
            }
        }
        if self.program_tear == ProgramTear::UnreadableWord {
            self.unreadable.insert(torn.start / WRITE);
        }
        self.load_weak(&torn);
        self.mark_programmed(&torn);
    }

    /// Erases one unit until power goes at the event numbered `step`, 0 to 3.
    pub(super) fn tear_erase(&mut self, unit: usize, step: usize) {
        let range = unit * ERASE..(unit + 1) * ERASE;
        let mostly_old = match step {
            0 => return,
            1 => true,
            2 => false,
            _ => return self.erase_unit(unit),
        };
        let mut random = self.tear_random();
        let ones = if mostly_old {
            Share::Quarter
        } else {
            Share::ThreeQuarters
        };
        match self.erase_tear {
            EraseTear::Clean => {
                if !mostly_old {
                    self.erase_unit(unit);
                }
            }
            EraseTear::OldOrOne => {
                for byte in &mut self.memory[range.clone()] {
                    *byte |= random.byte(ones);
                }
                for start in range.step_by(WRITE) {
                    if is_blank(&self.memory[start..start + WRITE]) {
                        self.programmed.clear(start / WRITE..start / WRITE + 1);
                    }
                }
            }
            EraseTear::Unstable => {
                let unstable = unstable_unit(&mut self.unstable, unit, ERASE, ones);
                for (byte, mask) in self.memory[range].iter_mut().zip(&mut unstable.masks) {
                    *mask |= !*byte;
                    *byte |= random.byte(ones);
                }
            }
            EraseTear::WeakBlank => {
                self.erase_unit(unit);
                let lost = if mostly_old { Share::Half } else { Share::Quarter };
                self.weak.insert(
                    unit,
                    WeakUnit {
                        loaded: Vec::new(),
                        decays_at: u64::MAX,
                        lost,
                    },
                );
            }
            EraseTear::HalfErased => {
                // Whole words, should a unit have an odd number of them.
                let middle = range.start + ERASE / WRITE / 2 * WRITE;
                let first_half = mostly_old == self.seed.is_multiple_of(2);
                self.blank(if first_half {
                    range.start..middle
                } else {
                    middle..range.end
                });
            }
        }
    }

    /// Replaces unstable bits of what was read from `range` by what they read as this time.
    pub(super) fn add_noise(&mut self, range: &Range<usize>, bytes: &mut [u8]) {
        if self.unstable.is_empty() {
            return;
        }
        for (unit, unstable) in self.unstable.range(units_of(range, ERASE)) {
            for index in overlap(*unit, ERASE, range) {
                let mask = unstable.masks[index % ERASE];
                if mask != 0 {
                    let byte = &mut bytes[index - range.start];
                    *byte = (*byte & !mask) | (self.noise.byte(unstable.ones) & mask);
                }
            }
        }
    }

    /// A bit programmed to zero is surely zero, however unstable it was.
    pub(super) fn settle_zeros(&mut self, start: usize, requested: &[u8]) {
        if self.unstable.is_empty() {
            return;
        }
        let range = start..start + requested.len();
        for (unit, unstable) in self.unstable.range_mut(units_of(&range, ERASE)) {
            for index in overlap(*unit, ERASE, &range) {
                unstable.masks[index % ERASE] &= requested[index - start];
            }
        }
    }

    /// Bits in the range are what the memory says from now on.
    pub(super) fn stabilise(&mut self, range: Range<usize>) {
        if self.unstable.is_empty() {
            return;
        }
        for (unit, unstable) in self.unstable.range_mut(units_of(&range, ERASE)) {
            for index in overlap(*unit, ERASE, &range) {
                unstable.masks[index % ERASE] = 0;
            }
        }
    }

    /// Notes what was programmed into weak units: it will lose bits.
    pub(super) fn load_weak(&mut self, range: &Range<usize>) {
        if self.weak.is_empty() {
            return;
        }
        for (unit, weak) in self.weak.range_mut(units_of(range, ERASE)) {
            if weak.loaded.is_empty() {
                weak.decays_at = self.clock + READS_UNTIL_DECAY + 1;
            }
            weak.loaded.push(overlap(*unit, ERASE, range));
        }
    }

    /// Lets weak units lose bits whose time has come at the read numbered `clock`.
    pub(super) fn decay(&mut self, clock: u64) {
        if self.weak.is_empty() {
            return;
        }
        let mut random = self.tear_random();
        for weak in self.weak.values_mut() {
            if weak.loaded.is_empty() || clock < weak.decays_at {
                continue;
            }
            for index in weak.loaded.drain(..).flatten() {
                self.memory[index] |= random.byte(weak.lost);
            }
        }
    }

    /// Randomness of a tear at this event: a sweep over cuts sees a different tear at each, a repeated run the same.
    fn tear_random(&self) -> Random {
        Random::new(
            self.seed
                .wrapping_add(self.events.wrapping_mul(0xD134_2543_DE82_EF95)),
        )
    }
}

/// The unit's unstable bits, from now on with that share of ones.
fn unstable_unit(
    units: &mut BTreeMap<usize, UnstableUnit>,
    unit: usize,
    size: usize,
    ones: Share,
) -> &mut UnstableUnit {
    let unstable = units.entry(unit).or_insert_with(|| UnstableUnit {
        masks: vec![0; size],
        ones,
    });
    unstable.ones = ones;
    unstable
}

/// The part of `range` that lies in the unit.
fn overlap(unit: usize, size: usize, range: &Range<usize>) -> Range<usize> {
    range.start.max(unit * size)..range.end.min((unit + 1) * size)
}

/// Reads of the part that still find what was programmed into a weak unit.
const READS_UNTIL_DECAY: u64 = 64;
