//! Generators of common languages and libraries, which were never meant for secrets, and the ways in which people draw from them.
//!
//! ```text
//!  audit::generator
//!  audit::generator::stream (this file)
//!  audit::generator::twister
//! ```

use std::collections::VecDeque;
use std::vec::Vec;

use super::twister::Twister;

/// A generator and how numbers below a limit are drawn from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Draw {
    pub(super) source: Source,
    pub(super) way: Way,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// `rand` of glibc.
    Glibc,
    /// `rand` of the C standard's example, and glibc's smallest.
    Ansi,
    /// The standard's example with its upper half, as many small C libraries have it.
    AnsiUpper,
    Msvc,
    /// `rand` of newlib, on most microcontrollers.
    Newlib,
    Musl,
    Java,
    Minstd,
    MinstdNew,
    Drand48,
    Numerical,
    Xorshift32,
    Mulberry32,
    DotNet,
    /// Python, Ruby: a seed as an array of words.
    TwisterArray,
    /// C++, PHP, numpy: a seed as one word.
    TwisterWord,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// The remainder.
    Modulo,
    /// The remainder of a result without its lowest bit.
    ModuloHalf,
    /// The upper bits, as of a fraction times the limit.
    Scaled,
    /// As many upper bits as the limit has, again if that is too much: Python.
    Upper,
    /// As many lower bits as the limit has, again if that is too much: numpy, Ruby.
    Lower,
    /// A fraction of 53 bits from two results, times the limit.
    Fraction,
    /// The remainder, or the upper bits for powers of two: Java.
    Java,
}

/// What is tried: what each source is usually drawn from with.
pub(super) const DRAWS: [Draw; 27] = [
    Draw::of(Source::Glibc, Way::Modulo),
    Draw::of(Source::Glibc, Way::Scaled),
    Draw::of(Source::Ansi, Way::Modulo),
    Draw::of(Source::Ansi, Way::Scaled),
    Draw::of(Source::AnsiUpper, Way::Modulo),
    Draw::of(Source::AnsiUpper, Way::Scaled),
    Draw::of(Source::Msvc, Way::Modulo),
    Draw::of(Source::Msvc, Way::Scaled),
    Draw::of(Source::Newlib, Way::Modulo),
    Draw::of(Source::Newlib, Way::Scaled),
    Draw::of(Source::Musl, Way::Modulo),
    Draw::of(Source::Java, Way::Java),
    Draw::of(Source::Minstd, Way::Modulo),
    Draw::of(Source::Minstd, Way::Scaled),
    Draw::of(Source::MinstdNew, Way::Modulo),
    Draw::of(Source::Drand48, Way::Scaled),
    Draw::of(Source::Numerical, Way::Modulo),
    Draw::of(Source::Numerical, Way::Scaled),
    Draw::of(Source::Xorshift32, Way::Modulo),
    Draw::of(Source::Mulberry32, Way::Scaled),
    Draw::of(Source::DotNet, Way::Scaled),
    Draw::of(Source::TwisterArray, Way::Upper),
    Draw::of(Source::TwisterArray, Way::Fraction),
    Draw::of(Source::TwisterWord, Way::Modulo),
    Draw::of(Source::TwisterWord, Way::ModuloHalf),
    Draw::of(Source::TwisterWord, Way::Scaled),
    Draw::of(Source::TwisterWord, Way::Lower),
];

/// What is tried with milliseconds, of which there are a thousand times as many: what takes them for seeds by itself, and seeds fast.
pub(super) const DRAWS_OF_MILLISECONDS: [Draw; 3] = [
    Draw::of(Source::Java, Way::Java),
    Draw::of(Source::Mulberry32, Way::Scaled),
    Draw::of(Source::Msvc, Way::Modulo),
];

/// What long numbers are drawn with.
pub(super) const OF_LONG_NUMBERS: Draw = Draw::of(Source::TwisterArray, Way::Upper);

impl Draw {
    const fn of(source: Source, way: Way) -> Self {
        Self { source, way }
    }

    pub(super) fn in_words(self) -> &'static str {
        match (self.source, self.way) {
            (Source::Glibc, _) => "rand of glibc",
            (Source::Ansi | Source::AnsiUpper, _) => "rand of the C standard's example",
            (Source::Msvc, _) => "rand of Microsoft's C library",
            (Source::Newlib, _) => "rand of newlib",
            (Source::Musl, _) => "rand of musl",
            (Source::Java, _) => "java.util.Random",
            (Source::Minstd, _) => "MINSTD with factor 16807",
            (Source::MinstdNew, _) => "MINSTD with factor 48271",
            (Source::Drand48, _) => "drand48",
            (Source::Numerical, _) => "the generator of Numerical Recipes",
            (Source::Xorshift32, _) => "xorshift32",
            (Source::Mulberry32, _) => "mulberry32",
            (Source::DotNet, _) => "System.Random of .NET",
            (Source::TwisterArray, Way::Fraction) => "random.random of Python (Mersenne Twister)",
            (Source::TwisterArray, _) => "random.choice, randrange and randint of Python (Mersenne Twister)",
            (Source::TwisterWord, Way::Lower) => "numpy.random (Mersenne Twister)",
            (Source::TwisterWord, _) => "mt19937 of C++ or mt_rand of PHP (Mersenne Twister)",
        }
    }
}

/// What a generator gives for a seed, kept so that it is drawn from in several ways.
pub(super) struct Tape {
    state: State,
    results: Vec<u64>,
    bits: u32,
    at: usize,
}

impl Tape {
    pub(super) fn new(source: Source, seed: u64) -> Self {
        Self {
            state: State::new(source, seed),
            results: Vec::new(),
            bits: 32,
            at: 0,
        }
    }

    /// From the first result on again.
    pub(super) fn rewind(&mut self) {
        self.at = 0;
    }

    #[inline]
    fn next(&mut self) -> (u64, u32) {
        let result = if let Some(result) = self.results.get(self.at) {
            *result
        } else {
            let (result, bits) = self.state.next();
            self.results.push(result);
            self.bits = bits;
            result
        };
        self.at += 1;
        (result, self.bits)
    }

    /// A number below the limit.
    #[inline]
    pub(super) fn draw(&mut self, way: Way, limit: u64) -> u64 {
        let limit = limit.max(1);
        let size = u64::BITS - limit.leading_zeros();
        match way {
            Way::Modulo => self.next().0 % limit,
            Way::ModuloHalf => (self.next().0 >> 1) % limit,
            Way::Scaled => {
                let (word, bits) = self.next();
                ((u128::from(word) * u128::from(limit)) >> bits) as u64
            }
            Way::Upper => self.again(limit, |tape| {
                if size <= 32 {
                    tape.next().0 >> (32 - size)
                } else {
                    let low = tape.next().0;
                    low | tape.next().0 >> (64 - size) << 32
                }
            }),
            Way::Lower => {
                let mask = u64::MAX >> (limit - 1).leading_zeros().min(63);
                self.again(limit, |tape| tape.next().0 & mask)
            }
            Way::Fraction => {
                let (high, low) = (self.next().0 >> 5, self.next().0 >> 6);
                let fraction = (high as f64 * 67_108_864.0 + low as f64) / 9_007_199_254_740_992.0;
                (fraction * limit as f64) as u64
            }
            Way::Java if limit > 1 << 31 => self.next().0,
            Way::Java if limit.is_power_of_two() => (limit * self.next().0) >> 31,
            Way::Java => {
                // The uppermost, incomplete range is drawn again.
                let whole = (1 << 31) / limit * limit;
                self.again(whole, |tape| tape.next().0) % limit
            }
        }
    }

    /// A number of so many bits, as Python makes it: whole results from the lowest bits on, and the upper bits of the last.
    pub(super) fn long(&mut self, bits: u32) -> u128 {
        let (mut number, mut place) = (0, 0);
        while place < bits {
            let wanted = (bits - place).min(32);
            number |= u128::from(self.next().0 >> (32 - wanted)) << place;
            place += wanted;
        }
        number
    }

    /// Draws until it is below the limit; a stream that never is, is none of ours.
    fn again(&mut self, limit: u64, draw: impl Fn(&mut Self) -> u64) -> u64 {
        for _ in 0..MOST_TIMES {
            let drawn = draw(self);
            if drawn < limit {
                return drawn;
            }
        }
        0
    }
}

/// A generator under way.
enum State {
    Glibc(VecDeque<u32>),
    Word(Source, u64),
    DotNet(Vec<i32>, usize),
    Twister(Twister),
}

impl State {
    fn new(source: Source, seed: u64) -> Self {
        let low = seed as u32;
        match source {
            Source::Glibc => Self::glibc(low),
            Source::Java | Source::Drand48 => {
                let word = if source == Source::Java {
                    (seed ^ 0x5_deec_e66d) & MASK_48
                } else {
                    u64::from(low) << 16 | 0x330e
                };
                Self::Word(source, word)
            }
            Source::Musl => Self::Word(source, u64::from(low.wrapping_sub(1))),
            Source::Minstd | Source::MinstdNew => {
                let word = u64::from(low) % 0x7fff_ffff;
                Self::Word(source, if word == 0 { 1 } else { word })
            }
            Source::Xorshift32 if low == 0 => Self::Word(source, 2_463_534_242),
            Source::DotNet => Self::dot_net(low),
            Source::TwisterArray => Self::Twister(Twister::from_words(&words(seed))),
            Source::TwisterWord => Self::Twister(Twister::from_word(low)),
            _ => Self::Word(source, u64::from(low)),
        }
    }

    fn glibc(seed: u32) -> Self {
        let mut words: Vec<i64> = Vec::with_capacity(34);
        let mut word = i64::from((if seed == 0 { 1 } else { seed }).cast_signed());
        for _ in 0..31 {
            words.push(word);
            word = 16807 * (word % 127_773) - 2836 * (word / 127_773);
            if word < 0 {
                word += 0x7fff_ffff;
            }
        }
        let mut held: VecDeque<u32> = words.iter().map(|word| *word as u32).collect();
        for at in 0..3 {
            held.push_back(held.get(at).copied().unwrap_or(0));
        }
        held.drain(..3);
        let mut state = Self::Glibc(held);
        for _ in 0..310 {
            state.next();
        }
        state
    }

    fn dot_net(seed: u32) -> Self {
        let mut array: Vec<i32> = std::vec![0; 56];
        let set = |at: usize, value: i32, array: &mut Vec<i32>| {
            if let Some(slot) = array.get_mut(at) {
                *slot = value;
            }
        };
        let mut last = 161_803_398_i32.wrapping_sub(seed.cast_signed().checked_abs().unwrap_or(i32::MAX));
        let mut next = 1_i32;
        set(55, last, &mut array);
        for number in 1..55 {
            set(21 * number % 55, next, &mut array);
            let value = last.wrapping_sub(next);
            last = next_of(&mut next, value);
        }
        for _ in 0..4 {
            for at in 1..56_usize {
                let other = 1 + (at + 30) % 55;
                let value = array
                    .get(at)
                    .copied()
                    .unwrap_or(0)
                    .wrapping_sub(array.get(other).copied().unwrap_or(0));
                set(
                    at,
                    if value < 0 {
                        value.wrapping_add(i32::MAX)
                    } else {
                        value
                    },
                    &mut array,
                );
            }
        }
        Self::DotNet(array, 0)
    }

    /// The next result, and how many bits results have.
    #[inline]
    fn next(&mut self) -> (u64, u32) {
        match self {
            Self::Glibc(held) => {
                let word = held
                    .front()
                    .copied()
                    .unwrap_or(0)
                    .wrapping_add(held.get(28).copied().unwrap_or(0));
                held.pop_front();
                held.push_back(word);
                (u64::from(word >> 1), 31)
            }
            Self::Word(source, word) => step(*source, word),
            Self::DotNet(array, at) => {
                *at = *at % 55 + 1;
                let other = (*at + 20) % 55 + 1;
                let mut value = array
                    .get(*at)
                    .copied()
                    .unwrap_or(0)
                    .wrapping_sub(array.get(other).copied().unwrap_or(0));
                if value == i32::MAX {
                    value -= 1;
                }
                if value < 0 {
                    value = value.wrapping_add(i32::MAX);
                }
                if let Some(slot) = array.get_mut(*at) {
                    *slot = value;
                }
                (u64::from(value as u32), 31)
            }
            Self::Twister(twister) => (u64::from(twister.next()), 32),
        }
    }
}

fn next_of(next: &mut i32, value: i32) -> i32 {
    let last = *next;
    *next = if value < 0 {
        value.wrapping_add(i32::MAX)
    } else {
        value
    };
    last
}

fn step(source: Source, word: &mut u64) -> (u64, u32) {
    match source {
        Source::Ansi => {
            *word = (*word * 1_103_515_245 + 12345) & 0x7fff_ffff;
            (*word, 31)
        }
        Source::AnsiUpper => {
            *word = (*word * 1_103_515_245 + 12345) & 0xffff_ffff;
            (*word >> 16 & 0x7fff, 15)
        }
        Source::Msvc => {
            *word = (*word * 214_013 + 2_531_011) & 0xffff_ffff;
            (*word >> 16 & 0x7fff, 15)
        }
        Source::Newlib => {
            *word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (*word >> 32 & 0x7fff_ffff, 31)
        }
        Source::Musl => {
            *word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (*word >> 33, 31)
        }
        Source::Java => {
            *word = (word.wrapping_mul(0x5_deec_e66d) + 11) & MASK_48;
            (*word >> 17, 31)
        }
        Source::Drand48 => {
            *word = (word.wrapping_mul(0x5_deec_e66d) + 11) & MASK_48;
            (*word, 48)
        }
        Source::Minstd => {
            *word = *word * 16807 % 0x7fff_ffff;
            (*word, 31)
        }
        Source::MinstdNew => {
            *word = *word * 48271 % 0x7fff_ffff;
            (*word, 31)
        }
        Source::Numerical => {
            *word = (*word * 1_664_525 + 1_013_904_223) & 0xffff_ffff;
            (*word, 32)
        }
        Source::Xorshift32 => {
            let mut state = *word as u32;
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            *word = u64::from(state);
            (*word, 32)
        }
        // Mulberry32, and nothing else is left.
        _ => {
            let state = (*word as u32).wrapping_add(0x6d2b_79f5);
            *word = u64::from(state);
            let mut mixed = (state ^ state >> 15).wrapping_mul(state | 1);
            mixed ^= mixed.wrapping_add((mixed ^ mixed >> 7).wrapping_mul(mixed | 0x3d));
            (u64::from(mixed ^ mixed >> 14), 32)
        }
    }
}

/// A seed as Python takes it: words, the least first, at least one.
fn words(seed: u64) -> Vec<u32> {
    let (low, high) = (seed as u32, (seed >> 32) as u32);
    if high == 0 {
        Vec::from([low])
    } else {
        Vec::from([low, high])
    }
}

/// Draws of one number: the most likely miss comes half of the time.
const MOST_TIMES: u32 = 128;
const MASK_48: u64 = (1 << 48) - 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn first(source: Source, seed: u64, number: usize) -> Vec<u64> {
        let mut state = State::new(source, seed);
        (0..number).map(|_| state.next().0).collect()
    }

    #[test]
    fn each_generator_gives_the_numbers_that_are_published_for_it() {
        assert_eq!(
            first(Source::Glibc, 1, 3),
            [1_804_289_383, 846_930_886, 1_681_692_777]
        );
        assert_eq!(first(Source::Msvc, 1, 3), [41, 18467, 6334]);
        assert_eq!(first(Source::AnsiUpper, 1, 2), [16838, 5758]);
        assert_eq!(first(Source::Minstd, 1, 2), [16807, 282_475_249]);
        assert_eq!(first(Source::TwisterWord, 5489, 2), [3_499_211_612, 581_869_302]);
        assert_eq!(first(Source::DotNet, 0, 1), [1_559_595_546]);
        // new java.util.Random(42): nextInt(10) gives 0, 3, 8.
        let mut java = Tape::new(Source::Java, 42);
        assert_eq!([0; 3].map(|_: u64| java.draw(Way::Java, 10)), [0, 3, 8]);
        // random.seed(42): randint(1, 100) gives 82, 15, 4.
        let mut python = Tape::new(Source::TwisterArray, 42);
        assert_eq!([0; 3].map(|_: u64| 1 + python.draw(Way::Upper, 100)), [82, 15, 4]);
        // random.seed(42): random() is 0.6394267984578837.
        let mut python = Tape::new(Source::TwisterArray, 42);
        assert_eq!(python.draw(Way::Fraction, 1_000_000), 639_426);
        // random.seed(42): getrandbits(80).
        let mut python = Tape::new(Source::TwisterArray, 42);
        assert_eq!(python.long(80), 0x667_1c80_317f_a3b1_799d);
        // numpy.random.seed(42): randint(0, 100) gives 51, 92, 14.
        let mut numpy = Tape::new(Source::TwisterWord, 42);
        assert_eq!([0; 3].map(|_: u64| numpy.draw(Way::Lower, 100)), [51, 92, 14]);
    }
}
