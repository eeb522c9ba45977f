//! The limiter's flash area: headers, marks and tokens, every byte of them.
//!
//! ```text
//!  limiter
//!  area     (this file)
//!  crypto · flash
//! ```
//!
//! ```text
//!  overwritable   header | 64 marks, a bit each        | token | 64 marks | token | …
//!  write-once     header | mark | mark | mark | mark   | token | mark | …
//!                 '-slot-'----------------- a run -------------'
//! ```
//!
//! A slot has eight bytes, padded to the part's words. What stands in it nobody computes without the secret of the epoch, which the store
//! keeps; a mark is no secret, and only ever counts against whoever tries. `docs/attempt-limiter.md` has the whole format.

use embedded_storage::nor_flash::NorFlashErrorKind;

use crate::crypto::fingerprint;
use crate::flash::{Medium, MediumKind, two_faces};
use crate::secret::Secret;

/// Most runs of one epoch: what a start has to read.
pub(super) const MOST_RUNS: u32 = 16;

/// How often bytes are looked at. A bit that reads as zero once is zero: a look that was disturbed into all ones takes no mark away.
const LOOKS: usize = 4;

const TOKEN_LEN: u32 = 8;
const MARKS_IN_BITS: u32 = 64;
const MARKS_IN_WORDS: u32 = 4;
const SHORTEST_MARK: u32 = 4;
/// The largest word.
const MOST_WORD: u32 = 32;
/// Bytes of the longest run: four marks and a token, of the largest words.
const LONGEST_RUN: usize = 160;

/// The area as the limiter sees it.
pub(super) struct Area<M> {
    medium: M,
    shape: Shape,
}

#[derive(Clone, Copy)]
struct Shape {
    word: u32,
    slot: u32,
    /// Bytes of a mark on write-once parts.
    mark: u32,
    /// Bytes of the marks of a run.
    marks: u32,
    unit: u32,
    units: u32,
}

/// What a run says.
#[derive(Clone, Copy)]
pub(super) struct Run {
    /// Up to the last mark that is not blank.
    pub(super) marks: u32,
    pub(super) has_token: bool,
    pub(super) is_blank: bool,
}

/// What a token stands for.
#[derive(Clone, Copy)]
pub(super) enum Token {
    /// The area is that of the epoch.
    Header,
    /// An attempt succeeded in this run.
    Success(u32),
}

#[two_faces]
impl<M: Medium> Area<M> {
    /// `None` if the area has fewer than two erase units, or its units or words are too small or too large.
    pub(super) fn new(medium: M) -> Option<Self> {
        let (read_size, write_size, erase_size) = medium.sizes();
        let word = u32::try_from(write_size.max(read_size)).ok()?;
        let unit = u32::try_from(erase_size).ok()?;
        let capacity = u32::try_from(medium.capacity()).ok()?;
        if word == 0 || word > MOST_WORD || !word.is_power_of_two() || unit == 0 {
            return None;
        }
        let slot = TOKEN_LEN.next_multiple_of(word);
        let mark = SHORTEST_MARK.next_multiple_of(word);
        let marks = match M::KIND {
            MediumKind::Overwritable => slot,
            MediumKind::WriteOnce => MARKS_IN_WORDS * mark,
        };
        let shape = Shape {
            word,
            slot,
            mark,
            marks,
            unit,
            units: capacity / unit,
        };
        (shape.units >= 2 && unit >= 2 * slot + marks).then_some(Self { medium, shape })
    }

    pub(super) fn into_medium(self) -> M {
        self.medium
    }

    pub(super) fn medium_mut(&mut self) -> &mut M {
        &mut self.medium
    }

    // ---- places ----

    fn run_len(&self) -> u32 {
        self.shape.marks + self.shape.slot
    }

    /// Runs that an epoch at this place has; `None` if there is no such place.
    pub(super) fn runs(&self, start: u32) -> Option<u32> {
        if self.unit_of(start) >= self.shape.units || !start.is_multiple_of(self.shape.slot) {
            return None;
        }
        let left = self.shape.unit.checked_sub(start.checked_rem(self.shape.unit)?)?;
        let runs = left.checked_sub(self.shape.slot)?.checked_div(self.run_len())?;
        (runs > 0).then_some(runs.min(MOST_RUNS))
    }

    fn unit_of(&self, at: u32) -> u32 {
        at.checked_div(self.shape.unit).unwrap_or(u32::MAX)
    }

    fn run_start(&self, start: u32, run: u32) -> u32 {
        start
            .saturating_add(self.shape.slot)
            .saturating_add(run.saturating_mul(self.run_len()))
    }

    /// Marks of one run.
    pub(super) const fn marks_in_run() -> u32 {
        match M::KIND {
            MediumKind::Overwritable => MARKS_IN_BITS,
            MediumKind::WriteOnce => MARKS_IN_WORDS,
        }
    }

    /// A blank place behind so many runs of the epoch at `start`, on the same unit. Two runs are left out: the first may have been torn, and read
    /// blank only now and then; the second is blank for certain, and ends the earlier epoch until this one has its record.
    pub(super) async fn place_behind(&mut self, start: u32, runs: u32) -> Option<u32> {
        let place = self.run_start(start, runs.saturating_add(2));
        if self.unit_of(place) != self.unit_of(start) {
            return None;
        }
        let end = self.run_start(place, self.runs(place)?);
        self.is_blank(place, end).await.then_some(place)
    }

    /// The unit behind that of a place, or the first.
    pub(super) fn unit_behind(&self, start: u32) -> u32 {
        let next = self.unit_of(start).saturating_add(1);
        if next < self.shape.units { next } else { 0 }
    }

    /// The first place of a unit, erased now: what was erased earlier is not trusted.
    pub(super) async fn place_on_unit(&mut self, unit: u32) -> Result<u32, NorFlashErrorKind> {
        let begin = unit.saturating_mul(self.shape.unit);
        let end = begin.saturating_add(self.shape.unit);
        self.medium.erase(begin, end).await?;
        if self.is_blank(begin, end).await {
            Ok(begin)
        } else {
            Err(NorFlashErrorKind::Other)
        }
    }

    // ---- reading ----

    /// What is certain to be all ones.
    async fn is_blank(&mut self, from: u32, to: u32) -> bool {
        let mut at = from;
        while at < to {
            let mut bytes = [0; MOST_WORD as usize];
            let len = (to - at).min(MOST_WORD);
            let Some(chunk) = usize::try_from(len).ok().and_then(|len| bytes.get_mut(..len)) else {
                return false;
            };
            if self.medium.read(at, chunk).await.is_err() || chunk.iter().any(|byte| *byte != 0xff) {
                return false;
            }
            at += len;
        }
        true
    }

    /// Looks at bytes several times; a bit that is zero in any look is zero, and a word that does not read counts as zeros.
    //= compliance/requirements.md#cred-11
    //# A read of the area that gives all ones MUST NOT take a counted attempt away.
    async fn look(&mut self, at: u32, bytes: &mut [u8]) {
        let mut seen = [0; LONGEST_RUN];
        bytes.fill(0xff);
        for _ in 0..LOOKS {
            let Some(seen) = seen.get_mut(..bytes.len()) else {
                return;
            };
            if self.medium.read(at, seen).await.is_err() {
                self.look_word_by_word(at, seen).await;
            }
            bytes
                .iter_mut()
                .zip(seen.iter())
                .for_each(|(byte, seen)| *byte &= *seen);
        }
    }

    async fn look_word_by_word(&mut self, at: u32, bytes: &mut [u8]) {
        let mut offset = at;
        let word = usize::try_from(self.shape.word).unwrap_or(1).max(1);
        for chunk in bytes.chunks_mut(word) {
            if self.medium.read(offset, chunk).await.is_err() {
                chunk.fill(0);
            }
            offset = offset.saturating_add(self.shape.word);
        }
    }

    /// Whether the token stands at this place, in every look.
    async fn holds(&mut self, at: u32, token: [u8; 8]) -> bool {
        let mut slot = [0; MOST_WORD as usize];
        let Some(slot) = usize::try_from(self.shape.slot)
            .ok()
            .and_then(|len| slot.get_mut(..len))
        else {
            return false;
        };
        self.look(at, slot).await;
        slot.starts_with(&token)
    }

    pub(super) async fn has_header(&mut self, secret: &Secret<16>, start: u32) -> bool {
        self.holds(start, token(secret, Token::Header)).await
    }

    pub(super) async fn run(&mut self, secret: &Secret<16>, start: u32, run: u32) -> Run {
        let mut bytes = [0; LONGEST_RUN];
        let len = usize::try_from(self.run_len()).unwrap_or(LONGEST_RUN);
        let bytes = bytes.get_mut(..len).unwrap_or_default();
        self.look(self.run_start(start, run), bytes).await;
        let marks = usize::try_from(self.shape.marks).unwrap_or(0);
        let (marks, slot) = bytes.split_at_checked(marks).unwrap_or_default();
        let count = match M::KIND {
            MediumKind::Overwritable => count_bits(marks),
            MediumKind::WriteOnce => count_words(marks),
        };
        Run {
            marks: count,
            has_token: slot.starts_with(&token(secret, Token::Success(run))),
            is_blank: count == 0 && slot.iter().all(|byte| *byte == 0xff),
        }
    }

    // ---- writing ----

    /// Programs a token and reads it back.
    async fn write_token(&mut self, at: u32, token: [u8; 8]) -> Result<bool, NorFlashErrorKind> {
        let mut slot = [0xff; MOST_WORD as usize];
        slot.iter_mut().zip(&token).for_each(|(to, from)| *to = *from);
        let len = usize::try_from(self.shape.slot).unwrap_or(0);
        self.medium.write(at, slot.get(..len).unwrap_or_default()).await?;
        Ok(self.holds(at, token).await)
    }

    pub(super) async fn write_header(
        &mut self,
        secret: &Secret<16>,
        start: u32,
    ) -> Result<bool, NorFlashErrorKind> {
        self.write_token(start, token(secret, Token::Header)).await
    }

    pub(super) async fn write_success(
        &mut self,
        secret: &Secret<16>,
        start: u32,
        run: u32,
    ) -> Result<bool, NorFlashErrorKind> {
        let at = self.run_start(start, run).saturating_add(self.shape.marks);
        self.write_token(at, token(secret, Token::Success(run))).await
    }

    /// Programs the mark with this number, of those in its run, and gives whether it stands there.
    pub(super) async fn write_mark(
        &mut self,
        secret: &Secret<16>,
        start: u32,
        run: u32,
        mark: u32,
    ) -> Result<bool, NorFlashErrorKind> {
        let mut word = [0; MOST_WORD as usize];
        let (offset, len) = match M::KIND {
            MediumKind::Overwritable => {
                // A word is a power of two.
                let offset = (mark / 8) & !self.shape.word.wrapping_sub(1);
                // All marks up to this one: those before are zero already.
                let mut first = offset * 8;
                for byte in &mut word {
                    let cleared = mark.saturating_add(1).saturating_sub(first).min(8);
                    *byte = 0xff_u8.checked_shl(cleared).unwrap_or(0);
                    first = first.saturating_add(8);
                }
                (offset, self.shape.word)
            }
            MediumKind::WriteOnce => (mark.saturating_mul(self.shape.mark), self.shape.mark),
        };
        let at = self.run_start(start, run).saturating_add(offset);
        let len = usize::try_from(len).unwrap_or(0);
        self.medium.write(at, word.get(..len).unwrap_or_default()).await?;
        Ok(self.run(secret, start, run).await.marks == mark.saturating_add(1))
    }
}

/// The eight bytes of a token. 64 bits of SipHash under a key that the store keeps: who guesses one has a chance in 2^64 each time.
fn token(secret: &Secret<16>, token: Token) -> [u8; 8] {
    let (kind, number) = match token {
        Token::Header => (1, 0),
        Token::Success(run) => (2, run),
    };
    fingerprint(secret, &[&[kind], &number.to_le_bytes()]).to_le_bytes()
}

/// Up to the last bit that is zero.
fn count_bits(marks: &[u8]) -> u32 {
    let mut count = 0;
    for (byte, first) in marks.iter().zip((0..MARKS_IN_BITS).step_by(8)) {
        if *byte != 0xff {
            count = first + (8 - (!byte).leading_zeros());
        }
    }
    count
}

/// Up to the last word that is not blank.
fn count_words(marks: &[u8]) -> u32 {
    let len = marks.len() / 4;
    let mut count = 0;
    for (word, number) in marks.chunks(len.max(1)).zip(1..=MARKS_IN_WORDS) {
        if word.iter().any(|byte| *byte != 0xff) {
            count = number;
        }
    }
    count
}
