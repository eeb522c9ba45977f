//! The Mersenne Twister MT19937, by the paper of Matsumoto and Nishimura.
//!
//! ```text
//!  audit::generator::stream
//!  audit::generator::twister (this file)
//! ```

use std::boxed::Box;

/// The generator. Words of the next round are made when they are drawn, for a search looks at a few only.
#[derive(Clone)]
pub(super) struct Twister {
    words: Box<[u32; SIZE]>,
    at: usize,
}

// Every index is below SIZE or taken modulo SIZE.
#[allow(clippy::indexing_slicing)]
impl Twister {
    /// Seeded with one word.
    pub(super) fn from_word(seed: u32) -> Self {
        let mut words = Box::new([0; SIZE]);
        words[0] = seed;
        for at in 1..SIZE {
            let before = words[at - 1];
            words[at] = (before ^ before >> 30)
                .wrapping_mul(1_812_433_253)
                .wrapping_add(at as u32);
        }
        Self { words, at: 0 }
    }

    /// Seeded with an array of words.
    pub(super) fn from_words(seed: &[u32]) -> Self {
        let mut words = Self::from_word(19_650_218).words;
        let length = seed.len().max(1);
        let (mut at, mut of_seed) = (1, 0);
        for _ in 0..SIZE.max(length) {
            let before = words[at - 1];
            words[at] = (words[at] ^ (before ^ before >> 30).wrapping_mul(1_664_525))
                .wrapping_add(seed.get(of_seed).copied().unwrap_or(0))
                .wrapping_add(of_seed as u32);
            at += 1;
            of_seed = (of_seed + 1) % length;
            if at == SIZE {
                words[0] = words[SIZE - 1];
                at = 1;
            }
        }
        for _ in 0..SIZE - 1 {
            let before = words[at - 1];
            words[at] =
                (words[at] ^ (before ^ before >> 30).wrapping_mul(1_566_083_941)).wrapping_sub(at as u32);
            at += 1;
            if at == SIZE {
                words[0] = words[SIZE - 1];
                at = 1;
            }
        }
        words[0] = 0x8000_0000;
        Self { words, at: 0 }
    }

    pub(super) fn next(&mut self) -> u32 {
        let at = self.at;
        let joined = self.words[at] & 0x8000_0000 | self.words[(at + 1) % SIZE] & 0x7fff_ffff;
        let twisted =
            self.words[(at + 397) % SIZE] ^ joined >> 1 ^ if joined & 1 == 1 { 0x9908_b0df } else { 0 };
        self.words[at] = twisted;
        self.at = (at + 1) % SIZE;
        let mut word = twisted;
        word ^= word >> 11;
        word ^= word << 7 & 0x9d2c_5680;
        word ^= word << 15 & 0xefc6_0000;
        word ^ word >> 18
    }
}

const SIZE: usize = 624;
