//! Where secrets come from: the operating system's random source, looked at before and while it is used; or an explicit test seed, which
//! marks everything that is made as not for sale.
//!
//! ```text
//!  issue · batch
//!  source   (this file)
//!  crypto::factory
//! ```

use std::string::{String, ToString};

use getrandom::SysRng;
use rand_core::{SeedableRng, TryCryptoRng, TryRng};
use zeroize::{Zeroize, Zeroizing};

use crate::crypto::factory::{ChaCha20Rng, generator};
use crate::secret::Secret;

/// Bytes that the look at the start takes.
const SAMPLE: usize = 4096;
/// Bytes that are taken out of the source at a time, and compared with those before.
const BLOCK: usize = 64;

/// Why a random source is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// It reports an error.
    #[error("the random source failed")]
    Failed,
    /// What it gives cannot be random: constant, repeated, counting, or far from balanced.
    #[error("the random source is broken: what it gives is {0}")]
    Broken(&'static str),
}

/// A random source that is compared with itself while it is used.
pub struct Generator {
    source: Inner,
    block: Zeroizing<[u8; BLOCK]>,
    /// Bytes of the block that were given out.
    used: usize,
}

enum Inner {
    System(SysRng),
    Fixed(std::boxed::Box<ChaCha20Rng>),
}

impl TryRng for Inner {
    type Error = SourceError;

    fn try_next_u32(&mut self) -> Result<u32, SourceError> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, SourceError> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), SourceError> {
        match self {
            Self::System(source) => source.try_fill_bytes(bytes).map_err(|_| SourceError::Failed),
            Self::Fixed(source) => source.try_fill_bytes(bytes).map_err(|_| SourceError::Failed),
        }
    }
}

impl TryCryptoRng for Inner {}

impl Generator {
    fn of(mut source: Inner) -> Result<Self, SourceError> {
        let mut block = Zeroizing::new([0; BLOCK]);
        source.try_fill_bytes(block.as_mut_slice())?;
        Ok(Self {
            source,
            block,
            // The first block is only compared with.
            used: BLOCK,
        })
    }

    /// A generator of infallible draws, seeded from this one: for libraries that want one.
    pub(super) fn seeded(&mut self) -> Result<ChaCha20Rng, SourceError> {
        let mut seed = Zeroizing::new([0; 32]);
        self.try_fill_bytes(seed.as_mut_slice())?;
        Ok(ChaCha20Rng::from_seed(*seed))
    }

    /// The same values for the same key and serial, under a batch key.
    pub(super) fn fixed(source: ChaCha20Rng) -> Result<Self, SourceError> {
        Self::of(Inner::Fixed(std::boxed::Box::new(source)))
    }

    fn next_block(&mut self) -> Result<(), SourceError> {
        let mut next = Zeroizing::new([0; BLOCK]);
        self.source.try_fill_bytes(next.as_mut_slice())?;
        if *next == *self.block {
            return Err(SourceError::Broken("the same twice in a row"));
        }
        self.block.copy_from_slice(next.as_slice());
        self.used = 0;
        Ok(())
    }
}

impl TryRng for Generator {
    type Error = SourceError;

    fn try_next_u32(&mut self) -> Result<u32, SourceError> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, SourceError> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), SourceError> {
        for byte in bytes {
            if self.used >= BLOCK {
                self.next_block()?;
            }
            if let Some(drawn) = self.block.get_mut(self.used) {
                *byte = *drawn;
                drawn.zeroize();
            }
            self.used = self.used.saturating_add(1);
        }
        Ok(())
    }
}

impl TryCryptoRng for Generator {}

/// Makes a generator for each device.
///
/// ```
/// use bydesign::credential::factory::Sources;
///
/// let sources = Sources::system()?;
/// assert!(!sources.are_for_tests());
/// let tests = Sources::for_tests("night run 7")?;
/// assert!(tests.are_for_tests());
/// # Ok::<(), bydesign::credential::factory::SourceError>(())
/// ```
pub struct Sources {
    test_seed: Option<Secret<32>>,
}

impl Sources {
    /// The operating system's source, after a look at 4 KiB of it.
    ///
    /// # Errors
    ///
    /// [`SourceError`].
    pub fn system() -> Result<Self, SourceError> {
        look_at(&mut SysRng)?;
        Ok(Self { test_seed: None })
    }

    /// Everything from one seed: the same again at the next run, and marked as not for sale wherever it goes.
    ///
    /// # Errors
    ///
    /// [`SourceError`].
    pub fn for_tests(seed: &str) -> Result<Self, SourceError> {
        let seed = Secret::new(crate::crypto::factory::sha256(seed.as_bytes()));
        let sources = Self {
            test_seed: Some(seed),
        };
        look_at(&mut sources.generator("")?)?;
        Ok(sources)
    }

    /// Whether what is made of them must not be sold.
    #[must_use]
    pub const fn are_for_tests(&self) -> bool {
        self.test_seed.is_some()
    }

    /// The generator of one device.
    ///
    /// # Errors
    ///
    /// [`SourceError`].
    pub fn generator(&self, serial: &str) -> Result<Generator, SourceError> {
        let source = match &self.test_seed {
            None => Inner::System(SysRng),
            Some(seed) => {
                let fixed = generator(seed, "bydesign test seed", &[serial]);
                Inner::Fixed(std::boxed::Box::new(fixed.map_err(|_| SourceError::Failed)?))
            }
        };
        Generator::of(source)
    }

    /// What the report says of them.
    pub(super) fn words(&self) -> String {
        match self.test_seed {
            None => "operating system, looked at before and while used",
            Some(_) => "TEST SEED: NOT FOR SALE",
        }
        .to_string()
    }
}

/// Refuses a source that fails, or whose first 4 KiB cannot be random. A sound one is refused with a chance below 10⁻⁹.
//= compliance/requirements.md#cred-22
//# A random source that fails, is constant, repeats itself, counts or is far from balanced MUST be refused before anything is drawn from it, and one that gives the same twice in a row while it is used.
pub(super) fn look_at<R: TryCryptoRng + ?Sized>(source: &mut R) -> Result<(), SourceError> {
    let mut sample = Zeroizing::new([0; SAMPLE]);
    source
        .try_fill_bytes(sample.as_mut_slice())
        .map_err(|_| SourceError::Failed)?;
    judge(sample.as_slice()).map_or(Ok(()), |flaw| Err(SourceError::Broken(flaw)))
}

fn judge(sample: &[u8]) -> Option<&'static str> {
    let pairs = || sample.iter().zip(sample.iter().skip(1));
    // Seven equal bytes in a row: 4096 · 256⁻⁶ = 1.5 · 10⁻¹¹.
    let mut run = 1;
    for (byte, next) in pairs() {
        run = if byte == next { run + 1 } else { 1 };
        if run >= 7 {
            return Some("constant for a while");
        }
    }
    // Half the sample repeats the other, whatever the period.
    if (1..=sample.len() / 2).any(|period| {
        let shifted = sample.iter().skip(period);
        sample.iter().zip(shifted).take(256).all(|(a, b)| a == b)
    }) {
        return Some("repeated");
    }
    for width in [1, 2, 4, 8] {
        if counts(sample, width) {
            return Some("counting");
        }
    }
    // 4096 bytes: each value 16 times on average; 60 times has a chance of 10⁻¹⁵ for each.
    let mut seen = [0_u32; 256];
    for byte in sample {
        if let Some(count) = seen.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    if seen.iter().any(|count| *count > 60) {
        return Some("of few values");
    }
    // 32,768 bits: half of them, more or less 7 standard deviations of 90.5.
    let ones: u32 = sample.iter().map(|byte| byte.count_ones()).sum();
    if !(15_750..=17_018).contains(&ones) {
        return Some("not balanced");
    }
    None
}

/// Whether numbers of so many bytes go up or down by the same step, most or least significant byte first.
fn counts(sample: &[u8], width: usize) -> bool {
    let number = |bytes: &[u8], big: bool| {
        let step = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        if big {
            bytes.iter().fold(0, step)
        } else {
            bytes.iter().rev().fold(0, step)
        }
    };
    let mask = if width == 8 {
        u64::MAX
    } else {
        (1 << (8 * width)) - 1
    };
    [false, true].into_iter().any(|big| {
        let numbers = || {
            sample
                .chunks_exact(width)
                .take(64)
                .map(|bytes| number(bytes, big))
        };
        let mut steps = numbers()
            .zip(numbers().skip(1))
            .map(|(number, next)| next.wrapping_sub(number) & mask);
        let first = steps.next();
        steps.all(|step| Some(step) == first)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives bytes of a formula.
    struct Formula<F>(F, u64);

    impl<F: FnMut(u64) -> Option<u8>> TryRng for Formula<F> {
        type Error = SourceError;

        fn try_next_u32(&mut self) -> Result<u32, SourceError> {
            Ok(0)
        }

        fn try_next_u64(&mut self) -> Result<u64, SourceError> {
            Ok(0)
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), SourceError> {
            for byte in bytes {
                *byte = (self.0)(self.1).ok_or(SourceError::Failed)?;
                self.1 += 1;
            }
            Ok(())
        }
    }

    impl<F: FnMut(u64) -> Option<u8>> TryCryptoRng for Formula<F> {}

    fn verdict(formula: impl FnMut(u64) -> Option<u8>) -> Result<(), SourceError> {
        look_at(&mut Formula(formula, 0))
    }

    /// A byte that looks random and depends on its place.
    fn mixed(at: u64) -> u8 {
        let mut hash = std::hash::DefaultHasher::new();
        std::hash::Hasher::write_u64(&mut hash, at);
        std::hash::Hasher::finish(&hash).to_le_bytes()[0]
    }

    //= compliance/requirements.md#cred-22
    //= type=test
    //# A random source that fails, is constant, repeats itself, counts or is far from balanced MUST be refused before anything is drawn from it, and one that gives the same twice in a row while it is used.
    #[test]
    fn a_source_that_cannot_be_random_is_refused() {
        assert_eq!(verdict(|at| Some(mixed(at))), Ok(()));
        assert_eq!(verdict(|at| (at < 100).then_some(1)), Err(SourceError::Failed));
        let broken = |flaw| Err(SourceError::Broken(flaw));
        assert_eq!(verdict(|_| Some(0xa5)), broken("constant for a while"));
        let stuck_late = |at| Some(if at < 4000 { mixed(at) } else { 0 });
        assert_eq!(verdict(stuck_late), broken("constant for a while"));
        for period in [2, 7, 32, 255, 1000, 2000] {
            assert_eq!(
                verdict(|at| Some(mixed(at % period))),
                broken("repeated"),
                "{period}"
            );
        }
        assert_eq!(verdict(|at| Some(at.to_le_bytes()[0])), broken("repeated"));
        assert_eq!(
            verdict(|at| Some(
                (at / 4).wrapping_mul(77_777).to_le_bytes()[usize::try_from(at % 4).expect("small")]
            )),
            broken("counting")
        );
        assert_eq!(verdict(|at| Some(mixed(at) % 23)), broken("of few values"));
        assert_eq!(
            verdict(|at| Some(mixed(at) | (mixed(at + 9999) & 0x11))),
            broken("not balanced")
        );
    }

    #[test]
    fn the_same_twice_in_a_row_is_noticed_while_it_is_used() {
        let start = || {
            Sources::for_tests("a")
                .and_then(|sources| sources.generator("b"))
                .expect("sound")
        };
        let (mut generator, mut ahead) = (start(), start());
        let mut bytes = [0; 640];
        generator.try_fill_bytes(&mut bytes).expect("sound");
        ahead.try_fill_bytes(&mut bytes).expect("sound");
        ahead.next_block().expect("sound");
        // As if the block that comes next had come before.
        generator.block.copy_from_slice(ahead.block.as_slice());
        generator.used = BLOCK;
        assert_eq!(
            generator.try_next_u32(),
            Err(SourceError::Broken("the same twice in a row"))
        );
    }

    #[test]
    fn a_test_seed_gives_each_device_the_same_again_and_another_than_its_neighbour() {
        let draw = |seed, serial| {
            Sources::for_tests(seed)
                .and_then(|sources| sources.generator(serial)?.try_next_u64())
                .expect("drawn")
        };
        assert_eq!(draw("a", "1"), draw("a", "1"));
        assert_ne!(draw("a", "1"), draw("a", "2"));
        assert_ne!(draw("a", "1"), draw("b", "1"));
    }
}
